import type { Clock } from '@sociograph/kernel';
import type { Call, CallContent, KeyPool, Lease, LeaseVerdict, Pause, SocialNetwork } from '../domain/ports';
import { mostUnstored, type Place, SendRoom } from './send-room';

/** One call on its way to the network. */
export interface Turn {
  readonly network: SocialNetwork;
  readonly call: Call;
  readonly content: CallContent;
  /** Monotonic ms; without a key by then it goes back. */
  readonly deadline: number;
  /** Nobody wants it sent any more. */
  readonly withdrawn: AbortSignal;
  /** Taken before the send, left by whoever stored what was seen. */
  place?: Place | undefined;
}

/** What the sending thread needs before a slot begins: a place that comes later comes too late for it. */
const HANDING_OVER_MS = 5;

/** Gets calls a lease, and a place among those that are sent and not stored. */
export class LeaseForCall {
  private readonly room = new SendRoom();

  constructor(
    private readonly pool: KeyPool,
    private readonly clock: Clock,
    private readonly pause: Pause,
  ) {}

  /**
   * While there is room the place is taken when the slot is near, so that none stays empty; else it comes first, so that
   * no lease is taken in vain. Undefined when the call was withdrawn, or its time is over.
   */
  async take(turn: Turn): Promise<LeaseVerdict | undefined> {
    for (;;) {
      const lane = `${turn.call.workspaceId} ${turn.call.network}`;
      const most = mostUnstored(await this.pool.callsPerSecond(turn.call));
      if (turn.place === undefined && this.room.isFull(lane, most)) {
        turn.place = await this.placeWithin(turn, lane, most, this.left(turn));
        if (turn.place === undefined) return undefined;
      }
      if (turn.withdrawn.aborted || this.left(turn) <= 0) return undefined;
      const verdict = await this.lease(turn);
      if (verdict?.kind !== 'granted' || turn.place !== undefined) return verdict;
      const { lease } = verdict;
      const beforeSlot = (lease.slotAt ?? 0) - this.clock.monotonicMs() - HANDING_OVER_MS;
      turn.place = this.room.take(lane, most) ?? (await this.placeWithin(turn, lane, most, beforeSlot));
      if (turn.place !== undefined) return verdict;
      await this.giveBack(lease, 'no-room');
    }
  }

  private left({ deadline }: Turn): number {
    return deadline - this.clock.monotonicMs();
  }

  private async placeWithin(
    { withdrawn }: Turn,
    lane: string,
    most: number,
    timeoutMs: number,
  ): Promise<Place | undefined> {
    if (timeoutMs <= 0 || withdrawn.aborted) return undefined;
    const ended = new AbortController();
    const until = Promise.race([aborted(withdrawn, ended.signal), this.pause.ms(timeoutMs, ended.signal)]);
    const place = await this.room.wait(lane, most, until);
    ended.abort();
    return place;
  }

  /** Undefined when the call was withdrawn before a key was there; one that comes later is given back. */
  private async lease(turn: Turn): Promise<LeaseVerdict | undefined> {
    const { network, call, content, withdrawn } = turn;
    const { workspaceId, importId } = call;
    const asked = this.pool.acquire({
      workspaceId,
      network: network.name,
      importId,
      methods: network.methods(content),
      timeoutMs: this.left(turn),
    });
    const ended = new AbortController();
    const first = await Promise.race([asked, aborted(withdrawn, ended.signal)]).finally(() => ended.abort());
    if (first !== undefined) return first;
    void asked
      .then(async (late) => {
        if (late.kind === 'granted') await this.giveBack(late.lease, 'withdrawn');
      })
      .catch(() => undefined); // The pool ends a lease by itself; nothing is lost with this one.
    return undefined;
  }

  private async giveBack(lease: Lease, cause: string): Promise<void> {
    await this.pool.settle(lease, { kind: 'missed', cause }, { errors: [], made: {} });
  }
}

/** Resolves when `signal` is aborted; `ended`: nobody listens any more. */
function aborted(signal: AbortSignal, ended: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(undefined), { once: true, signal: ended }),
  );
}
