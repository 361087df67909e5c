import { type FleetApi, serverSentEvents } from '@sociograph/api-client';
import { pause } from '../fleet/endless-imports';

const AGAIN_MS = 1_000;

/** Clients that keep streams open: the workspace's events, and those of the import that was begun last. */
export class EventReaders {
  events = 0;
  opened = 0;
  readonly #over = new AbortController();
  #readers: Promise<void>[] = [];

  constructor(
    private readonly api: FleetApi,
    private readonly currentImport: () => string | undefined,
  ) {}

  start(): this {
    const ofImport = (): string | undefined => {
      const id = this.currentImport();
      return id === undefined ? undefined : `/v1/imports/${id}/events`;
    };
    this.#readers = [
      this.#read(() => '/v1/events'),
      this.#read(() => '/v1/events'),
      this.#read(ofImport),
      this.#read(ofImport),
      this.#read(ofImport),
    ];
    return this;
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#readers);
  }

  /** A stream that ends (its import ended, its token is too old) is followed by the next. */
  async #read(path: () => string | undefined): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const at = path();
      try {
        if (at !== undefined) {
          const { body } = await this.api.open(at, { accept: 'text/event-stream' }, signal);
          this.opened += 1;
          if (body !== null)
            for await (const { event } of serverSentEvents(body)) {
              this.events += 1;
              if (event === 'end') break;
            }
        }
      } catch {
        // Counted by what is missing: streams are opened again whatever ended them.
      }
      if (!signal.aborted) await pause(AGAIN_MS);
    }
  }
}
