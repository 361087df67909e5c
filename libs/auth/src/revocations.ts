/**
 * Tokens that were taken back before their expiry: after a removal or a change of role every token of that subject
 * issued earlier is refused (DESIGN 7). Asked once per request, so an implementation must answer from memory.
 */
export abstract class Revocations {
  /** The earliest `iat` (seconds since the Unix epoch) that is still accepted for `subject`; undefined: any. */
  abstract earliestAcceptedIat(subject: string): Promise<number | undefined>;
}

/** Nothing is ever taken back: tokens end with their expiry only. */
export class NoRevocations extends Revocations {
  override earliestAcceptedIat(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}
