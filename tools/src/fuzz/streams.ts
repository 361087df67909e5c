import { serverSentEvents } from '@sociograph/api-client';
import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { ApiDocument } from './document';
import type { FuzzWorld } from './world';

const TYPE = 'text/event-stream';
/** A stream that lasts is looked at for so long, or until so many events came. */
const READ_FOR_MS = 5_000;
const MOST_EVENTS = 500;

export interface StreamOperation {
  name: string;
  path: string;
  /** By the names of events; undefined where the document says nothing of them. */
  validators: Map<string, ValidateFunction> | undefined;
}

/** The operations whose answers are streams of events, and what each event must be. */
export function streamsOf(document: ApiDocument): StreamOperation[] {
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  ajv.addSchema({ ...document, $id: 'document' }, 'document');
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses, 'x-events': events }]) => {
      const { content = {} } = (responses['200'] ?? {}) as { content?: object };
      if (!(TYPE in content)) return [];
      const validators =
        events &&
        new Map(
          Object.entries(events).map(([name, schema]) => {
            const text = JSON.stringify(schema).replaceAll('"#/', '"document#/');
            return [name, ajv.compile(JSON.parse(text) as object)] as const;
          }),
        );
      return [{ name: `${method.toUpperCase()} ${path}`, path, validators }];
    }),
  );
}

/** What is wrong with an event; undefined: nothing. */
export function faultOf(
  validators: ReadonlyMap<string, ValidateFunction>,
  { event, data }: { event: string; data: string },
): string | undefined {
  const validate = validators.get(event);
  if (validate === undefined) return `an event ${event}, which the document does not know`;
  try {
    if (validate(JSON.parse(data))) return undefined;
  } catch {
    return `an event ${event} whose data are no JSON`;
  }
  const [first] = validate.errors ?? [];
  return `an event ${event}: ${first?.instancePath ?? ''} ${first?.message ?? ''}`;
}

/** Reads every stream of the document for a while, as who may, and compares what comes; sentences, empty when it fits. */
export async function judgeStreams(document: ApiDocument, world: FuzzWorld): Promise<string[]> {
  const judged = await Promise.all(streamsOf(document).map((stream) => judgeStream(stream, world)));
  return judged.flat();
}

async function judgeStream({ name, path, validators }: StreamOperation, world: FuzzWorld): Promise<string[]> {
  if (validators === undefined) return [`${name}: nothing says what its events are`];
  const places = world.recipes[name]?.[0]?.path ?? {};
  const place = path.replace(/\{(\w+)\}/g, (_, parameter: string) => String(places[parameter]));
  // Only the feed has a beginning to choose; the other streams begin where they stand.
  const from = places['id'] === undefined ? '?from=start' : '';
  const over = AbortSignal.timeout(READ_FOR_MS);
  const response = await fetch(world.gatewayUrl + place + from, {
    headers: { accept: TYPE, authorization: `Bearer ${world.tokens['admin'] ?? ''}` },
    signal: over,
  });
  const type = response.headers.get('content-type') ?? '';
  if (response.status !== 200 || !type.startsWith(TYPE) || response.body === null)
    return [`${name}: as a stream it answers ${response.status} ${type}`];
  const faults = new Set<string>();
  let came = 0;
  try {
    for await (const event of serverSentEvents(response.body)) {
      const fault = faultOf(validators, event);
      if (fault !== undefined) faults.add(`${name}: ${fault}`);
      if ((came += 1) >= MOST_EVENTS) break;
    }
  } catch (error) {
    if (!over.aborted) faults.add(`${name}: the stream broke off: ${String(error)}`);
  }
  if (came === 0) faults.add(`${name}: no event came in ${READ_FOR_MS} ms`);
  return [...faults];
}
