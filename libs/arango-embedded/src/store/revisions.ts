const ALPHABET = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';

/** Characters of every `_rev` that this server makes; stored documents begin with it. */
export const REVISION_LENGTH = 9;

/** Revisions rise for ever, also over restarts with a clock that went back. Clients must treat them as opaque. */
export class Revisions {
  #last: number;

  constructor(last: number) {
    this.#last = last;
  }

  /** To be stored with each commit, so that the next start continues above it. */
  get last(): number {
    return this.#last;
  }

  next(): string {
    this.#last = Math.max(this.#last + 1, Date.now() * 2048);
    let rest = this.#last;
    let text = '';
    for (let i = 0; i < REVISION_LENGTH; i++) {
      text = (ALPHABET[rest % 64] as string) + text;
      rest = Math.floor(rest / 64);
    }
    return text;
  }
}
