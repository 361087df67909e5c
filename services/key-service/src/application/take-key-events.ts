import { type KeyEvent, PoolReport } from '../domain/ports';
import type { InvalidKeys } from './write-invalid-keys';

/** What happens when the answers of a settle changed what the pool knows of keys. */
export class KeyEventDesk {
  constructor(
    private readonly invalid: Pick<InvalidKeys, 'note' | 'write'>,
    private readonly report: PoolReport,
  ) {}

  /** Never waits and never throws: the settle that brought the events is answered meanwhile. */
  take(events: readonly KeyEvent[], service: string): void {
    let write = false;
    for (const event of events) {
      this.report.keyChanged(event);
      if (event.kind !== 'invalid') continue;
      this.invalid.note(event.keyId, event.reason ?? 'token-refused', service);
      write = true;
    }
    // What fails now is written by the next chore.
    if (write) void this.invalid.write().catch(() => undefined);
  }
}
