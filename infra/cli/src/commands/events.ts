import { passes, rest, serverSentEvents, withQuery, type Api } from '@sociograph/api-client';
import type { Call, Command } from '../command';

const PATH = '/v1/events';
const MOST_A_PAGE = 1_000;
const PATIENCE_MS = 30_000;
const RECONNECT_MS = 500;

/** The workspace's own events, a line of JSON each: what is kept, or what comes. */
export const events: Command = {
  name: 'events',
  summary: "the workspace's own events, one line of JSON each, oldest first",
  details: 'The cursor in each line, and the one that is named at the end, begin after it.',
  options: {
    follow: { type: 'boolean', help: 'what comes from now on, until Ctrl-C' },
    types: { type: 'string', value: 'LIST', help: 'only these, by comma: sociograph.imports.import-changed' },
    cursor: { type: 'string', value: 'CURSOR', help: 'only what came after it' },
    limit: { type: 'string', value: 'N', help: 'so many at most' },
  },
  async run(call) {
    const { args } = call;
    const api = await call.api({ patienceMs: PATIENCE_MS });
    const query = { types: args.text('types'), cursor: args.text('cursor') };
    const most = args.whole('limit', 1) ?? Number.POSITIVE_INFINITY;
    if (args.flag('follow')) await follow(call, api, query, most);
    else await readAll(call, api, query, most);
  },
};

interface Wanted {
  types: string | undefined;
  cursor: string | undefined;
}

async function readAll(call: Call, api: Api, { types, cursor }: Wanted, most: number): Promise<void> {
  let place = cursor;
  for (let left = most; left > 0;) {
    const query = { types, cursor: place, limit: Math.min(MOST_A_PAGE, left) };
    const page = await api.open(withQuery(PATH, query), { accept: 'application/x-ndjson' });
    const lines = (await page.text()).split('\n').filter((line) => line !== '');
    for (const line of lines) call.terminal.stdout.write(`${line}\n`);
    left -= lines.length;
    place = page.headers.get('x-next-cursor') ?? place;
    if (page.headers.get('x-end-of-log') !== 'false') break;
  }
  if (place !== undefined) call.output.note(`To go on: --cursor ${place}`);
}

/** Comes back after a lost connection, an expired token or a restart, and goes on where it was. */
async function follow(call: Call, api: Api, { types, cursor }: Wanted, most: number): Promise<void> {
  const { signal } = call.terminal;
  // The place is known before the first event, so that a connection lost until then loses nothing.
  let place = cursor ?? (await endOf(api, types));
  for (let left = most; ;) {
    try {
      const headers = { accept: 'text/event-stream', 'last-event-id': place };
      const { body } = await api.open(withQuery(PATH, { types }), headers, signal);
      if (body !== null)
        for await (const { event, id, data } of serverSentEvents(body)) {
          if (event === 'end') break;
          place = id ?? place;
          call.terminal.stdout.write(`${data}\n`);
          left -= 1;
          if (left <= 0) return;
        }
    } catch (error) {
      signal.throwIfAborted();
      if (!passes(error)) throw error;
    }
    await rest(RECONNECT_MS, signal);
    signal.throwIfAborted();
  }
}

async function endOf(api: Api, types: string | undefined): Promise<string> {
  const page = await api.open(withQuery(PATH, { types, from: 'now', limit: 1 }), {});
  await page.text();
  return page.headers.get('x-next-cursor') ?? '';
}
