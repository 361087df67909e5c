import { trace, TraceFlags } from '@opentelemetry/api';
import { Histogram, type HistogramConfiguration, type LabelValues, type Registry } from 'prom-client';

interface Exemplified<L extends string> {
  labels: LabelValues<L>;
  value: number;
  exemplarLabels: Record<string, string>;
}

/**
 * A histogram whose buckets name the trace that was last counted in them (an exemplar, label `trace_id`), so that a slow
 * point of a board leads to its trace. Prometheus reads exemplars in the OpenMetrics format only.
 */
export class TracedHistogram<L extends string> extends Histogram<L> {
  constructor(configuration: Omit<HistogramConfiguration<L>, 'registers'>, registry: Registry) {
    // Registered afterwards: prom-client wants a registry of the other format for exemplars, and `openMetricsText` writes that.
    super({ ...configuration, enableExemplars: true, registers: [] });
    registry.registerMetric(this);
    // With exemplars prom-client takes one object; every caller goes on calling it as before.
    const exemplify = this.observe.bind(this) as unknown as (observation: Exemplified<L>) => void;
    const observe = (labels: LabelValues<L> | number, value?: number): void =>
      typeof labels === 'number'
        ? exemplify({ labels: {}, value: labels, exemplarLabels: traceAtHand() })
        : exemplify({ labels, value: value as number, exemplarLabels: traceAtHand() });
    const startTimer = (labels: LabelValues<L> = {}) => {
      const startedAt = performance.now();
      return (more: LabelValues<L> = {}): number => {
        const seconds = (performance.now() - startedAt) / 1000;
        observe({ ...labels, ...more }, seconds);
        return seconds;
      };
    };
    Object.assign(this, { observe, startTimer });
  }
}

/** Only a trace that is kept: one that was sampled out leads nowhere. */
function traceAtHand(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined || (span.traceFlags & TraceFlags.SAMPLED) === 0 ? {} : { trace_id: span.traceId };
}
