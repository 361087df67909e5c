import { LONGEST_LEAD_MS } from '@sociograph/contracts';

/** What the pool leaves between a grant and its slot when nobody asks for more, ms. */
const USUAL_LEAD_MS = 10;
/** From a lease that came in to the thread that sends: with less than that the slot is lost all the same. */
const HANDING_OVER_MS = 5;
/** The share of the difference by which each lease that came sooner lowers what is reckoned with: of fifty half is left. */
const FALL = 0.014;

/**
 * How late leases come in at this process: the broker, the pool and this event loop may each be busy. A slot that begins
 * before its lease is here is lost, and its key idles; so the process asks for slots that lie as far ahead as it needs.
 * It rises at once and falls slowly. What it asks for is bounded, and binds the pool to nothing: every window is charged
 * for the slot that is really granted.
 */
export class LeaseLateness {
  #reckoned = 0;

  /** A lease came in, or its slot was found to be over, so long after the grant (ms). */
  note(lateMs: number): void {
    if (!Number.isFinite(lateMs)) return;
    const late = Math.min(LONGEST_LEAD_MS, Math.max(0, lateMs));
    this.#reckoned = late > this.#reckoned ? late : this.#reckoned + (late - this.#reckoned) * FALL;
  }

  /** What to ask for; undefined while what the pool gives anyway is enough. */
  get leadMs(): number | undefined {
    const wanted = Math.min(LONGEST_LEAD_MS, Math.ceil(this.#reckoned + HANDING_OVER_MS));
    return wanted > USUAL_LEAD_MS ? wanted : undefined;
  }
}
