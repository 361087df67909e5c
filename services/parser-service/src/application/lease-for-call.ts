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

/** A place is taken so long before the slot: a process that is busy just then would come too late for it otherwise. */
export const BEFORE_SLOT_MS = 30;
/** What the sending thread needs before a slot begins: a place that comes later comes too late for it. */
const HANDING_OVER_MS = 5;

/**
 * Gets calls a lease, and a place among those that are sent and not stored. As many calls as may have a place may ask
 * for a lease or wait for its slot beside them: slots are then granted a tenth of a second ahead or more, and a lease that comes
 * late still comes before its slot.
 */
export class LeaseForCall {
  private readonly room = new SendRoom();
  private readonly ahead = new SendRoom();

  constructor(
    private readonly pool: KeyPool,
    private readonly clock: Clock,
    private readonly pause: Pause,
  ) {}

  /**
   * The place is taken when the slot is near, so that it is held for no longer than the call is under way. A call whose
   * slot came before a place takes its place first from then on: where nothing is stored, each loses one slot at most.
   * Undefined when the call was withdrawn, or its time is over.
   */
  async take(turn: Turn): Promise<LeaseVerdict | undefined> {
    const lane = `${turn.call.workspaceId} ${turn.call.network}`;
    for (;;) {
      const most = mostUnstored(await this.pool.callsPerSecond(turn.call));
      const asking = await this.placeWithin(this.ahead, turn, lane, most, this.left(turn));
      if (asking === undefined) return undefined;
      try {
        if (turn.withdrawn.aborted || this.left(turn) <= 0) return undefined;
        const verdict = await this.lease(turn);
        if (verdict?.kind !== 'granted' || turn.place !== undefined) return verdict;
        turn.place = await this.placeBefore(verdict.lease.slotAt ?? 0, turn, lane, most);
        if (turn.place !== undefined) return verdict;
        await this.giveBack(verdict.lease, 'no-room');
      } finally {
        asking.leave();
      }
      turn.place = await this.placeWithin(this.room, turn, lane, most, this.left(turn));
      if (turn.place === undefined) return undefined;
    }
  }

  private async placeBefore(
    slotAt: number,
    turn: Turn,
    lane: string,
    most: number,
  ): Promise<Place | undefined> {
    const early = slotAt - this.clock.monotonicMs() - BEFORE_SLOT_MS;
    if (early > 0) await this.pause.ms(early, turn.withdrawn);
    const left = slotAt - this.clock.monotonicMs() - HANDING_OVER_MS;
    return this.placeWithin(this.room, turn, lane, most, left);
  }

  private left({ deadline }: Turn): number {
    return deadline - this.clock.monotonicMs();
  }

  private async placeWithin(
    room: SendRoom,
    { withdrawn }: Turn,
    lane: string,
    most: number,
    timeoutMs: number,
  ): Promise<Place | undefined> {
    const now = room.take(lane, most);
    if (now !== undefined || timeoutMs <= 0 || withdrawn.aborted) return now;
    const ended = new AbortController();
    const until = Promise.race([aborted(withdrawn, ended.signal), this.pause.ms(timeoutMs, ended.signal)]);
    const place = await room.wait(lane, most, until);
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
