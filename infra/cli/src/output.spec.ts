import { TerminalDouble } from '../test/a-terminal';
import { Output, printable } from './output';

function shown(write: (output: Output) => void, json = false, tty = false): string[] {
  const terminal = new TerminalDouble({}, { tty });
  write(new Output(terminal, json));
  return terminal.stdout.lines;
}

describe('one answer', () => {
  const answer = {
    id: 'i',
    counters: { people: { known: 3 }, calls: null },
    createdAt: 1795000000000,
    format: 7,
    positionsAt: 12,
    seeds: ['a', 'b'],
    many: Array.from({ length: 21 }, (_, index) => index),
    rows: [{ a: 1 }],
    none: [],
    name: [
      { text: 'Ве', match: true },
      { text: 'ра', match: false },
    ],
  };

  it('is its fields below one another', () => {
    expect(shown((output) => output.record(answer))).toEqual([
      'id                     i',
      'counters.people.known  3',
      'counters.calls',
      'createdAt              2026-11-18T11:06:40.000Z',
      'format                 7',
      'positionsAt            12',
      'seeds                  a, b',
      'many                   21 entries (--json shows them)',
      'rows                   1 entry (--json shows them)',
      'none',
      'name                   Вера',
    ]);
    expect(shown((output) => output.record('text'))).toEqual(['value  text']);
  });

  it('is a line of JSON for scripts', () => {
    expect(shown((output) => output.record(answer), true)).toEqual([JSON.stringify(answer)]);
    expect(shown((output) => output.record(undefined), true)).toEqual(['null']);
  });
});

describe('a table', () => {
  it('has the columns of its first page, wide ones cut', () => {
    const page = [{ id: 1 }, { id: 22, long: 'x'.repeat(61) }];
    const lines = shown((output) => {
      output.rows([]);
      output.rows(page);
      output.rows([{ id: 333, long: 'y', new: 'not shown' }]);
    });
    expect(lines).toEqual([`id  long`, '1', `22  ${'x'.repeat(59)}…`, '333  y']);
  });

  it('leaves out what is empty or for programs, unless it shall be wide', () => {
    const page = [{ id: 1, seen: { at: 'now', keyId: 'k' }, version: 2, none: null, positions: 'p' }];
    expect(shown((output) => output.rows(page))).toEqual(['id  seen.at', '1   now']);
    expect(shown((output) => output.rows(page, true))[0]).toBe(
      'id  seen.at  seen.keyId  version  none  positions',
    );
  });

  it('has its titles dimmed on a terminal', () => {
    expect(shown((output) => output.rows([{ id: 1 }]), false, true)[0]).toBe('\u001b[2mid\u001b[0m');
  });
});

describe('a text of a stranger', () => {
  it('keeps its letters and loses what steers', () => {
    expect(printable('ёж 👩‍👧 a\tb\u009b\u2066')).toBe('ёж 👩‍👧 a\\x09b\\x9b\\x2066');
  });
});
