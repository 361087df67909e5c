/** What must be undone however a run ends, newest first; a failure of one does not keep the others from it. */
export class Cleanup {
  readonly #undone: (() => Promise<unknown> | void)[] = [];
  #running: Promise<void> | undefined;

  add(undo: () => Promise<unknown> | void): void {
    this.#undone.push(undo);
  }

  run(): Promise<void> {
    this.#running ??= this.#runAll().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #runAll(): Promise<void> {
    for (let undo = this.#undone.pop(); undo !== undefined; undo = this.#undone.pop()) {
      try {
        await undo();
      } catch (error) {
        process.stderr.write(`left behind: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  }
}

/** Signals end a run in order: children first, then databases, then servers that were started for it. */
export function cleanUpOnSignals(cleanup: Cleanup): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void cleanup.run().finally(() => process.exit(130)));
  }
}
