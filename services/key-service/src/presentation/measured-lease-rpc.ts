import type { KeyServiceMetrics } from '../metrics';
import type { Caller, LeaseRpc } from './lease-rpc';

const KINDS = ['hello', 'lease', 'settle', 'capacity', 'path', 'bye'] as const;
const OUTCOMES = ['granted', 'denied', 'refused', 'answered'] as const;
type Kind = (typeof KINDS)[number] | 'malformed';
type Outcome = (typeof OUTCOMES)[number];

/** The lease protocol with its time and outcome measured. Every combination of labels is looked up once, at the start. */
export class MeasuredLeaseRpc {
  readonly #seconds = new Map<string, { observe(seconds: number): void }>();

  constructor(
    private readonly rpc: Pick<LeaseRpc, 'handle'>,
    private readonly metrics: Pick<KeyServiceMetrics, 'leaseSeconds' | 'workerErrors'>,
    private readonly monotonicMs: () => number,
  ) {
    for (const kind of [...KINDS, 'malformed' as const]) {
      for (const outcome of OUTCOMES)
        this.#seconds.set(kind + outcome, metrics.leaseSeconds.labels(kind, outcome));
    }
  }

  async handle(request: Buffer, caller: Caller): Promise<Buffer> {
    const begun = this.monotonicMs();
    let reply: Buffer;
    try {
      reply = await this.rpc.handle(request, caller);
    } catch (error) {
      this.metrics.workerErrors.inc({ work: 'request' });
      throw error;
    }
    this.#seconds.get(kindOf(request) + outcomeOf(reply))?.observe((this.monotonicMs() - begun) / 1000);
    return reply;
  }
}

/** Frames begin with their kind: `{"kind":"lease",...`. */
function kindOf(request: Buffer): Kind {
  const head = request.toString('latin1', 9, 18);
  return KINDS.find((kind) => head.startsWith(`${kind}"`)) ?? 'malformed';
}

/** Replies begin with theirs; that of a body stands in escaped quotes. */
function outcomeOf(reply: Buffer): Outcome {
  const head = reply.toString('latin1', 0, 64);
  return (
    OUTCOMES.find((outcome) => head.includes(`"${outcome}\\"`) || head.includes(`"${outcome}"`)) ?? 'answered'
  );
}
