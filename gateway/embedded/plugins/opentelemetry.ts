import { fraction, list, object, oneOf, otherwise, text } from '../field-rules';
import type { Rule } from '../field-rules';
import { traceOf, traceparentOf } from '../traces';
import type { Plugin } from './plugin';

interface OpenTelemetryConfig {
  traces_endpoint: string;
  sampling_rate: number;
  resource_attributes: { 'service.name': string };
  propagation: { extract: 'w3c'[]; inject: 'w3c'[]; default_format: 'w3c' };
}

const w3c: Rule<'w3c'[]> = (value, where) => {
  const names = list(oneOf('w3c'))(value, where);
  return names.length === 1 ? names : [oneOf('w3c')(undefined, where)];
};

/**
 * Continues a trace towards the upstream. Where spans go is the setting OTEL_EXPORTER_OTLP_ENDPOINT; the endpoint of
 * the file is Kong's.
 */
export const opentelemetry: Plugin<OpenTelemetryConfig> = {
  name: 'opentelemetry',
  priority: 14,
  config: object<OpenTelemetryConfig>({
    traces_endpoint: text,
    sampling_rate: otherwise(fraction, 0.01),
    resource_attributes: object<{ 'service.name': string }>({ 'service.name': text }),
    propagation: object<OpenTelemetryConfig['propagation']>({
      extract: w3c,
      inject: w3c,
      default_format: oneOf('w3c'),
    }),
  }),
  access(exchange, config) {
    exchange.trace = traceOf(exchange.received('traceparent'), config.sampling_rate);
    exchange.setHeader('traceparent', traceparentOf(exchange.trace));
    return undefined;
  },
};
