import { Ids } from '@sociograph/kernel';
import {
  limitReached,
  mostAhead,
  PACK_KINDS,
  type PackKind,
  type PackSizes,
  planPacks,
  sizeNow,
  worthARound,
} from '../domain/packing';
import { CallLedger, KeyPool, type Lane, Networks } from '../domain/ports';

/** One round of dispatch over all lanes. Rounds are cheap when nothing can be done, and safe to run at any time. */
export class DispatchCalls {
  constructor(
    private readonly ledger: CallLedger,
    private readonly pool: KeyPool,
    private readonly networks: Networks,
    private readonly ids: Ids,
  ) {}

  /**
   * Returns how many calls were dispatched, and in how many lanes work waits or waited. A lane that fails does not
   * keep the others waiting; it is thrown last.
   */
  async round(): Promise<{ dispatched: number; lanes: number }> {
    const lanes = await this.ledger.lanes();
    const others = ({ network }: Lane): number => lanes.filter((lane) => lane.network === network).length - 1;
    const results = await Promise.allSettled(lanes.map((lane) => this.lane(lane, others(lane))));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const counts = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    return { dispatched: counts.reduce((sum, count) => sum + count, 0), lanes: lanes.length };
  }

  private async lane(lane: Lane, others: number): Promise<number> {
    const network = this.networks.find(lane.network);
    if (network === undefined) return 0;
    const callsPerSecond = await this.pool.callsPerSecond(lane);
    const { packSizes } = network;
    const calls = mostAhead({ callsPerSecond, others });
    return this.ledger.dispatch(
      lane,
      ({ outstanding, unanswered, work, learned }) => ({
        calls: planPacks(
          work,
          { outstanding, unanswered, callsPerSecond, others },
          sizesNow(packSizes, learned),
        ).map((pack) => ({ callId: this.ids.next(), pack })),
        closed: work.filter(limitReached).map(({ importId }) => importId),
      }),
      { calls, least: worthARound(calls), packSizes },
    );
  }
}

function sizesNow(
  sizes: PackSizes,
  learned: Readonly<Partial<Record<PackKind, number>>>,
): Record<PackKind, number> {
  const now = PACK_KINDS.map((kind) => [kind, sizeNow(sizes[kind], learned[kind])] as const);
  return Object.fromEntries(now) as Record<PackKind, number>;
}
