import { Alarm, PoolEpochs } from '../domain/ports';

/** Epochs that live as long as the process: specs and simulations only. */
export class InMemoryPoolEpochs extends PoolEpochs {
  #epoch = 0;

  async current(): Promise<number> {
    return this.#epoch;
  }

  async advance(from: number): Promise<number | undefined> {
    if (from !== this.#epoch) return undefined;
    this.#epoch += 1;
    return this.#epoch;
  }
}

/** Rings when told to. */
export class ManualAlarm extends Alarm {
  inMs: number | undefined;
  #ring: (() => void) | undefined;

  set(inMs: number, ring: () => void): void {
    this.inMs = inMs;
    this.#ring = ring;
  }

  clear(): void {
    this.inMs = undefined;
    this.#ring = undefined;
  }

  ring(): void {
    const ring = this.#ring;
    this.clear();
    ring?.();
  }
}
