import { collectDefaultMetrics, Counter, Gauge, type Histogram, Registry } from 'prom-client';
import { TracedHistogram } from './traced-histogram';

export interface MetricsOptions {
  service: string;
  instance: string;
  /** CPU, memory, garbage collection and event-loop lag of the process; off in specs, where it would keep timers. */
  processMetrics?: boolean;
}

/**
 * The metrics of one process. Asking twice for the same name returns the same metric, so that two adapters may
 * share one; labels must be bounded (never an id of a person, an import or a request).
 */
export class Metrics {
  readonly registry = new Registry();

  constructor(options: MetricsOptions) {
    this.registry.setDefaultLabels({ service: options.service, instance: options.instance });
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.registry });
  }

  /** Counts up for ever; the name ends in `_total`. */
  counter<L extends string = string>(name: string, help: string, labels: readonly L[] = []): Counter<L> {
    return this.once(name, () => new Counter({ name, help, labelNames: labels, registers: [this.registry] }));
  }

  /** A value that goes up and down. */
  gauge<L extends string = string>(
    name: string,
    help: string,
    labels: readonly L[] = [],
    /** Sets the value whenever it is asked for, in place of whoever changes it. Asks no server: it may be away. */
    onScrape?: (gauge: Gauge<L>) => void,
  ): Gauge<L> {
    const registers = [this.registry];
    return this.once(name, () => {
      if (onScrape === undefined) return new Gauge({ name, help, labelNames: labels, registers });
      const collect = function (this: Gauge<L>): void {
        onScrape(this);
      };
      return new Gauge({ name, help, labelNames: labels, registers, collect });
    });
  }

  /** A distribution; buckets in the unit that the name ends in (seconds, bytes). Each names the last trace in it. */
  histogram<L extends string = string>(
    name: string,
    help: string,
    labels: readonly L[] = [],
    buckets: readonly number[] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  ): Histogram<L> {
    const make = (): Histogram<L> =>
      new TracedHistogram({ name, help, labelNames: labels, buckets: [...buckets] }, this.registry);
    return this.once(name, make);
  }

  private once<M>(name: string, make: () => M): M {
    const known = this.registry.getSingleMetric(name);
    return known === undefined ? make() : (known as M);
  }
}
