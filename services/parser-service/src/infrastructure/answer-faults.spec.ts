import { ToldAnswerFaults } from './answer-faults';

function setUp() {
  const lines: [unknown, string][] = [];
  const counts: unknown[] = [];
  let now = 0;
  const logger = { error: (fields: unknown, text: string) => lines.push([fields, text]) };
  const unreadable = { inc: (labels: unknown) => counts.push(labels) };
  const faults = new ToldAnswerFaults(logger as never, { unreadable } as never, () => now);
  return { faults, lines, counts, pass: (ms: number) => (now += ms) };
}

describe('answers in another shape than documented', () => {
  it('are all counted, and told once a minute for each kind, with the path', () => {
    const { faults, lines, counts, pass } = setUp();
    faults.note('vk', 'lists', 'response[0].items: expected array');
    faults.note('vk', 'lists', 'response[1].items: expected array');
    faults.note('vk', 'walls', 'response[0].count: expected number');
    pass(59_999);
    faults.note('vk', 'lists', 'response[2].items: expected array');
    expect(counts).toHaveLength(4);
    expect(counts[2]).toEqual({ network: 'vk', kind: 'walls' });
    const text = 'a network answers in another shape than it documents';
    expect(lines).toEqual([
      [{ network: 'vk', kind: 'lists', path: 'response[0].items: expected array' }, text],
      [{ network: 'vk', kind: 'walls', path: 'response[0].count: expected number' }, text],
    ]);
    pass(1);
    faults.note('vk', 'lists', 'response: missing');
    expect(lines[2]).toEqual([{ network: 'vk', kind: 'lists', path: 'response: missing' }, text]);
  });
});
