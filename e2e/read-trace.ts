import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fromStack } from './fleet';

/** A span as the test stack's receiver keeps it (infra/native/src/traces/stored-span.ts). */
export interface KeptSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: string;
  service: string;
  failed: boolean;
  attributes: Record<string, string | number | boolean>;
}

/** All spans of the trace in which a span names this correlation id; none while that has not arrived. */
export function readTrace(correlationId: string): KeptSpan[] {
  const spans = readSpans();
  const request = spans.find(({ attributes }) => attributes['sociograph.correlation.id'] === correlationId);
  return spans.filter(({ traceId }) => traceId === request?.traceId);
}

/** The span and those above it, the first one first, as `process kind name`. */
export function pathTo(span: KeptSpan | undefined, spans: readonly KeptSpan[]): string[] {
  const path: string[] = [];
  for (let at = span; at !== undefined && path.length < spans.length;) {
    path.unshift(`${at.service} ${at.kind} ${at.name}`);
    const { parentSpanId } = at;
    at = spans.find(({ spanId }) => spanId === parentSpanId);
  }
  return path;
}

/** Every span that the test stack's receiver keeps. */
export function readSpans(): KeptSpan[] {
  const folder = resolve(__dirname, '../.sociograph', fromStack('SOCIOGRAPH_STACK'), 'traces');
  const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'));
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as KeptSpan];
    } catch {
      return []; // The empty one at the end, or one that is being written.
    }
  });
}
