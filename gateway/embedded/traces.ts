import http from 'node:http';
import { randomHex } from './random-ids';

/** The gateway's part of a trace (W3C). */
export interface Trace {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  sampled: boolean;
}

interface Span extends Trace {
  name: string;
  startedAtMs: number;
  endedAtMs: number;
  attributes: Record<string, string | number>;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROES = /^0+$/;
const EXPORT_EVERY_MS = 1000;
/** Beyond this many the collector is too slow or away: the newest are dropped. */
const MOST_WAITING = 2048;

/**
 * Goes on with the caller's trace, or begins one. As Kong's default strategy has it, a parent that is not sampled
 * stays unsampled and one that is sampled is again left to chance: nobody outside can have every request recorded.
 */
export function traceOf(traceparent: string | undefined, samplingRate: number, chance = Math.random): Trace {
  const spanId = randomHex(8);
  const parent = parse(traceparent);
  if (parent === undefined) {
    return {
      traceId: randomHex(16),
      spanId,
      parentSpanId: undefined,
      sampled: chance() < samplingRate,
    };
  }
  return { ...parent, spanId, sampled: parent.sampled && chance() < samplingRate };
}

export function traceparentOf({ traceId, spanId, sampled }: Trace): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

function parse(
  header: string | undefined,
): { traceId: string; parentSpanId: string; sampled: boolean } | undefined {
  const [, version, traceId, parentSpanId, flags, rest] = TRACEPARENT.exec(header ?? '') ?? [];
  if (version === undefined || traceId === undefined || parentSpanId === undefined || flags === undefined)
    return undefined;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (ZEROES.test(traceId) || ZEROES.test(parentSpanId)) return undefined;
  return { traceId, parentSpanId, sampled: (parseInt(flags, 16) & 1) === 1 };
}

/** Sends sampled spans to a collector (OTLP over HTTP, JSON), once a second. Without an endpoint they are dropped. */
export class TraceExporter {
  private waiting: Span[] = [];
  private readonly timer: NodeJS.Timeout | undefined;
  dropped = 0;

  constructor(private readonly endpoint: URL | undefined) {
    if (endpoint !== undefined) this.timer = setInterval(() => this.flush(), EXPORT_EVERY_MS).unref();
  }

  add(span: Span): void {
    if (this.endpoint === undefined) return;
    if (this.waiting.length >= MOST_WAITING) this.dropped += 1;
    else this.waiting.push(span);
  }

  close(): void {
    clearInterval(this.timer);
    this.flush();
  }

  flush(): void {
    const spans = this.waiting;
    if (this.endpoint === undefined || spans.length === 0) return;
    this.waiting = [];
    const request = http.request(this.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      timeout: 2000,
    });
    const lose = (): void => void (this.dropped += spans.length);
    request.on('timeout', () => request.destroy());
    request.on('error', lose);
    request.on('response', (answer) => {
      if ((answer.statusCode ?? 500) >= 300) lose();
      answer.resume();
    });
    request.end(JSON.stringify(document(spans)));
  }
}

function document(spans: readonly Span[]): object {
  const value = (plain: string | number): object =>
    typeof plain === 'number' ? { intValue: String(plain) } : { stringValue: plain };
  const attributes = (plain: Record<string, string | number>): object[] =>
    Object.entries(plain).map(([key, each]) => ({ key, value: value(each) }));
  const nanoseconds = (ms: number): string => `${Math.round(ms * 1000)}000`;
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes({ 'service.name': 'gateway' }) },
        scopeSpans: [
          {
            scope: { name: 'gateway-embedded' },
            spans: spans.map((span) => ({
              traceId: span.traceId,
              spanId: span.spanId,
              ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
              name: span.name,
              kind: 2,
              startTimeUnixNano: nanoseconds(span.startedAtMs),
              endTimeUnixNano: nanoseconds(span.endedAtMs),
              attributes: attributes(span.attributes),
            })),
          },
        ],
      },
    ],
  };
}
