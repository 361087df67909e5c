import { inspect } from 'node:util';

/**
 * A value that must never be printed: JSON, string conversion and `inspect` all show `[redacted]`.
 * It does not protect memory: a heap dump still holds the value.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself; call it only where the secret is used, never to pass it on. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}
