import type { KeyServiceMetrics } from '../metrics';
import type { Caller, LeaseRpc } from './lease-rpc';

/** The lease protocol with its time and outcome measured, per request and at the price of two label look-ups. */
export class MeasuredLeaseRpc {
  constructor(
    private readonly rpc: Pick<LeaseRpc, 'handle'>,
    private readonly metrics: Pick<KeyServiceMetrics, 'leaseSeconds' | 'waiting'>,
    private readonly waiting: () => number,
  ) {}

  async handle(request: Buffer, caller: Caller): Promise<Buffer> {
    const stop = this.metrics.leaseSeconds.startTimer();
    const reply = await this.rpc.handle(request, caller);
    stop(labelsOf(request, reply));
    this.metrics.waiting.set(this.waiting());
    return reply;
  }
}

/** Bounded labels out of the first bytes: frames and replies begin with their kind. */
function labelsOf(request: Buffer, reply: Buffer): { kind: string; outcome: string } {
  const kind = /^\{"kind":"([a-z]{1,10})"/.exec(request.toString('latin1', 0, 24))?.[1] ?? 'malformed';
  const head = reply.toString('latin1', 0, 160);
  const outcome = /denied|granted|refused/.exec(head)?.[0] ?? 'answered';
  return { kind: KINDS.has(kind) ? kind : 'malformed', outcome };
}

const KINDS = new Set(['hello', 'lease', 'settle', 'capacity', 'path', 'bye']);
