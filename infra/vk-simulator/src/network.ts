import { seededFraction } from './content/seeded-hash';

/** Milliseconds. Delays on the way are uniform from 0 to the jitter; the service time lies between its two ends. */
export interface NetworkSettings {
  jitterMs: number;
  replyJitterMs: number;
  delayMs: readonly [number, number];
}

/** What one request will meet: drawn when it is read, so that nothing later can change it. */
export interface DrawnPath {
  requestMs: number;
  serviceMs: number;
  replyMs: number;
}

/** The network in front of the API: delays drawn from the seed, request by request. */
export class Network {
  private requests = 0;
  private settings: NetworkSettings;

  constructor(
    private readonly seed: number,
    settings: NetworkSettings,
  ) {
    this.settings = settings;
  }

  draw(): DrawnPath {
    this.requests += 1;
    const uniform = (purpose: string): number => seededFraction(this.seed, purpose, this.requests);
    const { jitterMs, replyJitterMs, delayMs } = this.settings;
    const [low, high] = delayMs;
    return {
      requestMs: jitterMs * uniform('jitter'),
      serviceMs: low + (high - low) * uniform('service time'),
      replyMs: replyJitterMs * uniform('reply jitter'),
    };
  }

  /** From the next request on; those under way keep what they drew. */
  change(settings: Partial<NetworkSettings>): NetworkSettings {
    this.settings = { ...this.settings, ...settings };
    return this.settings;
  }

  /** The same requests draw the same delays again. */
  reset(): void {
    this.requests = 0;
  }
}
