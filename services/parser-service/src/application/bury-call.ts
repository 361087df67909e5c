import { Ids } from '@sociograph/kernel';
import { CallLedger } from '../domain/ports';

/** `parted`: its parts are tried on their own; `buried`: its one item is a gap; `gone`: it holds nothing any more. */
export type Burial = 'parted' | 'buried' | 'gone';

/**
 * What becomes of a call that can only fail again. The item to blame is looked for by halving, so that it neither takes
 * the others of its pack along nor keeps the import from its end; alone it is a gap `gave-up`.
 */
export class BuryCall {
  constructor(
    private readonly ledger: CallLedger,
    private readonly ids: Ids,
  ) {}

  async handle(callId: string, code: string): Promise<Burial> {
    const call = await this.ledger.find(callId);
    const [first] = call?.items ?? [];
    if (call === undefined || first === undefined) return 'gone';
    if (call.items.length > 1) {
      await this.ledger.split(callId, [this.ids.next(), this.ids.next()]);
      return 'parted';
    }
    const buried = await this.ledger.finish(callId, {
      done: [],
      gaps: [{ person: first.person, cause: 'gave-up', detail: `it can only fail again: ${code}` }],
      long: [],
      more: [],
      again: [],
      found: [],
      positions: {},
      friendshipObservations: 0,
    });
    return buried ? 'buried' : 'gone';
  }
}
