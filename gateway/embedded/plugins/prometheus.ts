import { object, oneOf } from '../field-rules';
import type { Plugin } from './plugin';

type PrometheusConfig = Record<
  'status_code_metrics' | 'latency_metrics' | 'bandwidth_metrics' | 'upstream_health_metrics',
  true
>;

/** The measuring itself is the gateway's (see traffic-metrics.ts); here is only what may be configured. */
export const prometheus: Plugin<PrometheusConfig> = {
  name: 'prometheus',
  priority: 13,
  config: object<PrometheusConfig>({
    status_code_metrics: oneOf(true),
    latency_metrics: oneOf(true),
    bandwidth_metrics: oneOf(true),
    upstream_health_metrics: oneOf(true),
  }),
};
