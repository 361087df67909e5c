import { SPAN_KINDS, type StoredSpan } from './stored-span';

const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;
const ZEROES = /^0+$/;
/** Of what one span may fill of the ring. */
const LONGEST_TEXT = 256;
const MOST_ATTRIBUTES = 32;
const MOST_LINKS = 8;
/** OTLP's status code for an error. */
const ERROR = 2;

export interface ReadSpans {
  readonly spans: StoredSpan[];
  /** Spans without valid ids, name or times. */
  readonly rejected: number;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The spans of an ExportTraceServiceRequest in OTLP's JSON form (opentelemetry-proto 1.x): ids as hex, 64 bit numbers as
 * text or number. Undefined when it is no such request. Unknown fields are passed over, as the protocol wants it.
 */
export function readExport(body: unknown): ReadSpans | undefined {
  if (!isFields(body) || !Array.isArray(body['resourceSpans'])) return undefined;
  const spans: StoredSpan[] = [];
  let rejected = 0;
  for (const resourceSpans of fieldsIn(body['resourceSpans'])) {
    const resource = isFields(resourceSpans['resource']) ? resourceSpans['resource'] : {};
    const service = serviceOf(attributesOf(resource['attributes']));
    for (const scopeSpans of fieldsIn(resourceSpans['scopeSpans'])) {
      for (const span of listOf(scopeSpans['spans'])) {
        const read = isFields(span) ? spanOf(span, service) : undefined;
        if (read === undefined) rejected += 1;
        else spans.push(read);
      }
    }
  }
  return { spans, rejected };
}

function spanOf(span: Fields, service: string): StoredSpan | undefined {
  const { traceId, spanId, parentSpanId, name } = span;
  const startMs = millisecondsOf(span['startTimeUnixNano']);
  const endMs = millisecondsOf(span['endTimeUnixNano']);
  if (!isId(traceId, TRACE_ID) || !isId(spanId, SPAN_ID) || typeof name !== 'string') return undefined;
  if (startMs === undefined || endMs === undefined) return undefined;
  const status = isFields(span['status']) ? span['status'] : {};
  return {
    traceId,
    spanId,
    ...(isId(parentSpanId, SPAN_ID) ? { parentSpanId } : {}),
    name: name.slice(0, LONGEST_TEXT),
    kind: SPAN_KINDS[Number(span['kind'])] ?? 'unspecified',
    service,
    startMs,
    endMs,
    failed: status['code'] === ERROR || status['code'] === 'STATUS_CODE_ERROR',
    attributes: attributesOf(span['attributes']),
    links: fieldsIn(span['links'])
      .flatMap(({ traceId: linked, spanId: at }) =>
        isId(linked, TRACE_ID) && isId(at, SPAN_ID) ? [{ traceId: linked, spanId: at }] : [],
      )
      .slice(0, MOST_LINKS),
  };
}

/** `parser-service-0`: the name of the process in `npm run status`. */
function serviceOf(attributes: StoredSpan['attributes']): string {
  const service = attributes['service.name'] ?? 'unknown';
  const instance = attributes['service.instance.id'];
  return instance === undefined ? String(service) : `${service}-${instance}`;
}

function attributesOf(list: unknown): Record<string, string | number | boolean> {
  const pairs = fieldsIn(list).flatMap(({ key, value }): [string, string | number | boolean][] => {
    const plain = plainOf(value);
    return typeof key !== 'string' || key.length > LONGEST_TEXT || plain === undefined ? [] : [[key, plain]];
  });
  return Object.fromEntries(pairs.slice(0, MOST_ATTRIBUTES));
}

/** A list becomes its parts in one line; what is nested deeper is left out. */
function plainOf(value: unknown): string | number | boolean | undefined {
  if (!isFields(value)) return undefined;
  const { stringValue, boolValue, intValue, doubleValue, arrayValue } = value;
  if (typeof stringValue === 'string') return stringValue.slice(0, LONGEST_TEXT);
  if (typeof boolValue === 'boolean') return boolValue;
  const number = Number(intValue ?? doubleValue ?? Number.NaN);
  if (Number.isFinite(number)) return number;
  if (!isFields(arrayValue)) return undefined;
  const parts = listOf(arrayValue['values']).flatMap((part) => plainOf(part) ?? []);
  return parts.join(', ').slice(0, LONGEST_TEXT);
}

/** Nanoseconds, as text because they are beyond what a number holds, to milliseconds. */
function millisecondsOf(nanoseconds: unknown): number | undefined {
  if (typeof nanoseconds !== 'string' && typeof nanoseconds !== 'number') return undefined;
  if (!/^\d{1,20}$/.test(String(nanoseconds))) return undefined;
  return Number(BigInt(nanoseconds) / 1_000n) / 1_000;
}

function isId(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && form.test(value) && !ZEROES.test(value);
}

function fieldsIn(list: unknown): Fields[] {
  return listOf(list).filter(isFields);
}

function listOf(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
