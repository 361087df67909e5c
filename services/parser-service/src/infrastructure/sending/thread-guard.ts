import type { SlotGuard, VoidCause } from '@sociograph/lease-client';

/** What both threads see, in one SharedArrayBuffer of doubles. */
export const SHARED = { poolAheadOfHr: 0, generation: 1, size: 2 } as const;

/** A machine that slept has moved its wall clock by more than this against the monotonic one (ms). */
const SUSPENDED_MS = 50;

/** The part of a lease that decides whether its slot may still be used; it travels to the thread with each call. */
export interface LeaseFacts {
  readonly keyId: string;
  readonly grantedAt: number;
  readonly expiresAt: number;
  readonly generation: number;
  readonly wallAhead: number;
}

/** Milliseconds on the clock that all threads of a process share (`performance.now` begins anew in each). */
export function hrNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** `performance.now()` of this thread minus `hrNow()`: the tightest of a few readings. */
export function performanceAheadOfHr(): number {
  let best = { width: Infinity, ahead: 0 };
  for (let reading = 0; reading < 10; reading += 1) {
    const before = hrNow();
    const at = performance.now();
    const after = hrNow();
    if (after - before < best.width) best = { width: after - before, ahead: at - (before + after) / 2 };
  }
  return best.ahead;
}

/**
 * The lease client's checks in the sending thread: the pool's clock through the shared mapping, and every reason for
 * which a slot may not be used any more.
 */
export class ThreadGuard implements SlotGuard {
  private readonly voidBefore = new Map<string, number>();

  constructor(
    private readonly shared: Float64Array,
    /** `performance.now()` of the thread that took the lease minus `hrNow()`. */
    private readonly ownersAheadOfHr: number,
    private readonly hr: () => number = hrNow,
    private readonly wall: () => number = Date.now,
  ) {}

  readonly clock = {
    now: (): number => this.clock.toPool(this.hr()),
    toPool: (hrMs: number): number => hrMs + (this.shared[SHARED.poolAheadOfHr] ?? NaN),
    toMonotonic: (poolMs: number): number => poolMs - (this.shared[SHARED.poolAheadOfHr] ?? NaN),
  };

  /** Leases of this key that were granted up to then (pool clock) are void. */
  keyChanged(keyId: string, before: number): void {
    this.voidBefore.set(keyId, before);
  }

  voidCause(lease: LeaseFacts): VoidCause | undefined {
    if (lease.generation !== this.shared[SHARED.generation]) return 'clock-contradicted';
    const wallAhead = this.wall() - (this.hr() + this.ownersAheadOfHr);
    if (wallAhead - lease.wallAhead > SUSPENDED_MS) return 'suspended';
    if (lease.grantedAt <= (this.voidBefore.get(lease.keyId) ?? -1)) return 'key-state-changed';
    if (this.clock.now() > lease.expiresAt) return 'lease-expired';
    return undefined;
  }
}
