import type { KeyStateChanged } from '@sociograph/contracts';
import type { LeaseFacts } from './worker-lease';

/** Why the slots of a lease may not be used any more. */
export type VoidCause =
  'clock-contradicted' | 'suspended' | 'key-state-changed' | 'key-resting' | 'lease-expired';

/** `withdrawn`: whoever wanted it sent wants it no longer. */
export type MissCause = 'too-late' | 'no-connection' | 'withdrawn' | VoidCause;

/** What is known at one moment, read together; times are milliseconds on the pool's clock. */
export interface SlotView {
  /** NaN while the pool's clock is not mapped. */
  readonly now: number;
  /** Generation of the clock mapping. */
  readonly generation: number;
  /** Wall clock minus monotonic clock. */
  readonly wallAhead: number;
  /** What the fanout said of the key. */
  readonly news?: KeyTidings | undefined;
}

/** What concerns leases of a key that were granted up to a time. */
export interface KeyTidings {
  /** Leases granted up to then are void; -1: none. */
  readonly voidUpTo: number;
  /** Of leases granted up to then, slots before `restingUntil` are void; -1: none. */
  readonly restNotedAt: number;
  readonly restingUntil: number;
}

export interface SlotFacts {
  readonly notBefore: number;
  readonly notAfter: number;
  readonly lease: LeaseFacts;
}

/** A machine that slept has moved its wall clock by more than this against the monotonic one (ms). */
const SUSPENDED_MS = 50;
/** More leases than this are not held at once; what the fanout said of other keys may be forgotten after a while. */
const KEYS_KEPT = 10_000;

/**
 * Whether a slot may be sent now: `wait`, `send`, or the cause for which it is lost. Pure, so that the simulation of the
 * pool decides exactly as workers do. A clock that is not mapped loses the slot.
 */
export function slotVerdict(slot: SlotFacts, view: SlotView): 'wait' | 'send' | MissCause {
  const cause = voidCauseOf(slot.lease, view, slot.notBefore);
  if (cause !== undefined) return cause;
  if (view.now < slot.notBefore) return 'wait';
  return view.now <= slot.notAfter ? 'send' : 'too-late';
}

/** Why a lease may not be used any more, or this slot of it; undefined while nothing speaks against it. */
export function voidCauseOf(lease: LeaseFacts, view: SlotView, notBefore = Infinity): VoidCause | undefined {
  const { news } = view;
  if (lease.generation !== view.generation) return 'clock-contradicted';
  if (view.wallAhead - lease.wallAhead > SUSPENDED_MS) return 'suspended';
  if (news !== undefined && lease.grantedAt <= news.voidUpTo) return 'key-state-changed';
  if (news !== undefined && lease.grantedAt <= news.restNotedAt && notBefore < news.restingUntil) {
    return 'key-resting';
  }
  return view.now > lease.expiresAt ? 'lease-expired' : undefined;
}

/** The part of a change of a key's state that decides about slots. */
export type KeyChange = Pick<KeyStateChanged, 'keyId' | 'state'> & { restingUntil?: number | undefined };

/** What the fanout said of keys. */
export class KeyNews {
  readonly #tidings = new Map<string, KeyTidings>();

  /** Takes a change that came in at `poolNow`: what is granted later was granted knowing it. */
  note(change: KeyChange, poolNow: number): void {
    const { keyId, state, restingUntil } = change;
    const before = this.#tidings.get(keyId) ?? { voidUpTo: -1, restNotedAt: -1, restingUntil: -1 };
    const after =
      state !== 'active'
        ? { ...before, voidUpTo: poolNow }
        : restingUntil !== undefined
          ? { ...before, restNotedAt: poolNow, restingUntil }
          : undefined;
    if (after === undefined) return;
    // Set anew at the end: the first entry is the one that was heard of longest ago.
    this.#tidings.delete(keyId);
    this.#tidings.set(keyId, after);
    if (this.#tidings.size > KEYS_KEPT) this.#tidings.delete(this.#tidings.keys().next().value as string);
  }

  of(keyId: string): KeyTidings | undefined {
    return this.#tidings.get(keyId);
  }
}
