import { UnexpectedAnswer } from './answers';
import { pathOf, type Api } from './api';
import { passes, PATIENCE_MS, rest } from './patience';
import { serverSentEvents, type ServerSentEvent } from './server-sent-events';
import type { ImportState, ImportView } from './views';

const ENDED = new Set<ImportState>(['completed', 'cancelled', 'failed']);
/** Where the fleet has no stream, the import is read this often. */
const POLL_MS = 400;
/** A stream that told nothing for so long is checked against the import itself. */
const QUIET_MS = 10_000;
const RECONNECT_MS = 300;
/** A fleet without the stream, or a gateway in front of it that knows no such route. */
const NO_STREAM = [404, 405, 406];

export interface WatchOptions {
  signal?: AbortSignal | undefined;
  pollMs?: number | undefined;
  quietMs?: number | undefined;
}

/** True when nothing will change any more by itself. */
export function hasEnded({ state }: ImportView): boolean {
  return ENDED.has(state);
}

/**
 * The import as it is, then each time it was told to have changed, until it has ended; equal views may come twice.
 * Comes from the stream of its events, which is opened again with `Last-Event-ID` when it breaks; by polling where
 * the fleet has no such stream. Throws when the fleet is away for more than 30 s.
 */
export async function* watchImport(
  api: Api,
  id: string,
  options: WatchOptions = {},
): AsyncGenerator<ImportView> {
  const path = pathOf`/v1/imports/${id}`;
  let streams = true;
  let lastEventId: string | undefined;
  let lostAt: number | undefined;
  for (;;) {
    let ended = false;
    const view = await api.get<ImportView>(path);
    yield view;
    if (hasEnded(view)) return;
    if (!streams) {
      await rest(options.pollMs ?? POLL_MS, options.signal);
      continue;
    }
    try {
      for await (const { id: eventId, data } of eventsOf(api, `${path}/events`, lastEventId, options)) {
        lostAt = undefined;
        lastEventId = eventId ?? lastEventId;
        const told = viewIn(data);
        // How it ended is read from the import itself: it says more than an event (the positions).
        ended = told !== undefined && hasEnded({ ...view, ...told });
        if (ended) break;
        if (told !== undefined) yield { ...view, ...told };
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof UnexpectedAnswer && NO_STREAM.includes(error.status)) streams = false;
      else if (!passes(error)) throw error;
      lostAt ??= performance.now();
      if (performance.now() - lostAt > PATIENCE_MS) throw error;
    }
    if (!ended) await rest(RECONNECT_MS, options.signal);
  }
}

/** Events until the stream ends, or until it was quiet for so long that the import itself should be asked. */
async function* eventsOf(
  api: Api,
  path: string,
  lastEventId: string | undefined,
  { signal, quietMs = QUIET_MS }: WatchOptions,
): AsyncGenerator<ServerSentEvent, void> {
  const quiet = new AbortController();
  const signals = signal === undefined ? [quiet.signal] : [quiet.signal, signal];
  const timer = setTimeout(() => quiet.abort(), quietMs);
  try {
    const headers = { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) };
    const response = await api.open(path, headers, AbortSignal.any(signals));
    if (response.body === null) return;
    for await (const event of serverSentEvents(response.body)) {
      timer.refresh();
      yield event;
    }
  } catch (error) {
    if (!quiet.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    quiet.abort();
  }
}

/** What an event tells of the import; undefined for events that say something else (the stream's end). */
function viewIn(data: string): Partial<ImportView> | undefined {
  try {
    const value = JSON.parse(data) as Partial<ImportView> | null;
    return typeof value?.state === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
