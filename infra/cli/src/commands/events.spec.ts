import { TerminalDouble } from '../../test/a-terminal';
import { FleetDouble } from '../../test/fleet-double';

const EVENTS = 'GET /v1/events';
const fleet = new FleetDouble();
beforeAll(() => fleet.start());
beforeEach(() => fleet.reset());
afterAll(() => fleet.stop());

const page = (next: string, end: boolean, ...ids: number[]) => ({
  body: ids.map((id) => `{"id":${id}}\n`).join(''),
  headers: { 'x-next-cursor': next, 'x-end-of-log': String(end) },
});
const told = (id: number): string => `id: c${id}\nevent: e\ndata: {"id":${id}}\n\n`;
const END = 'event: end\ndata: {"reason":"token-expired"}\n\n';

describe('sociograph events', () => {
  it('reads page after page to the end of the log, and says where to go on', async () => {
    fleet.answer(EVENTS, page('c2', false, 1, 2), page('c2b', false), page('c3', true, 3));
    const terminal = new TerminalDouble(fleet.env);
    expect(await terminal.run('events', '--types', 'sociograph.imports.import-changed')).toBe(0);
    expect(terminal.stdout.text).toBe('{"id":1}\n{"id":2}\n{"id":3}\n');
    expect(terminal.stderr.text).toContain('--cursor c3');
    const types = 'sociograph.imports.import-changed';
    expect(fleet.asked.map(({ query }) => query)).toEqual([
      { types, limit: '1000' },
      { types, limit: '1000', cursor: 'c2' },
      { types, limit: '1000', cursor: 'c2b' },
    ]);
    expect(fleet.faults).toEqual([]);
  });

  it('reads no more than it is told to, from the cursor on', async () => {
    fleet.answer(EVENTS, page('c2', false, 2), page('c3', false, 3));
    const terminal = new TerminalDouble(fleet.env);
    expect(await terminal.run('events', '--limit', '2', '--cursor', 'c1')).toBe(0);
    expect(fleet.asked.map(({ query }) => query)).toEqual([
      { limit: '2', cursor: 'c1' },
      { limit: '1', cursor: 'c2' },
    ]);
  });

  it('follows from now on, and comes back where it was when the stream ends', async () => {
    const stream = (...pieces: string[]) => ({ body: pieces.join('') });
    fleet.answer(EVENTS, page('c0', true), stream(told(1), END), { status: 503 }, stream(told(2), told(3)));
    const terminal = new TerminalDouble(fleet.env);
    expect(await terminal.run('events', '--follow', '--limit', '2')).toBe(0);
    expect(terminal.stdout.text).toBe('{"id":1}\n{"id":2}\n');
    expect(fleet.asked.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'c0', 'c1', 'c1']);
    expect(fleet.asked[0]?.query).toEqual({ from: 'now', limit: '1' });
  });

  it('ends with what the fleet refuses', async () => {
    fleet.answer(EVENTS, page('c0', true), { status: 403, body: '{}' });
    expect(await new TerminalDouble(fleet.env).run('events', '--follow')).toBe(1);
  });
});
