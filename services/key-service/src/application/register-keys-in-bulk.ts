import { type FieldFault, isDomainError, type WorkspaceId } from '@sociograph/kernel';
import { tokenKnown } from '../domain/errors';
import { ApiKeys } from '../domain/api-keys';
import type { AuditNote } from '../domain/audit';
import type { SealedKey } from '../domain/ports';
import type { DescribedKey, KeyRegistrar } from './register-key';

/** One line of an upload as far as it could be read. `row` counts from 1. */
export type UploadedRow =
  { row: number; described: DescribedKey } | { row: number; errors: readonly FieldFault[] };

export type RowVerdict = { row: number; id: string } | { row: number; errors: readonly FieldFault[] };

export interface RegisterKeys {
  workspaceId: WorkspaceId;
  rows: AsyncIterable<UploadedRow> | Iterable<UploadedRow>;
  actor: AuditNote['actor'];
  correlationId?: string | undefined;
}

/** Keys that are written in one go; between two of them leasing has its turn. */
const AT_ONCE = 500;

/** Takes many keys at once; each row has its own verdict, and a bad one stops none of the others. */
export class BulkRegistrar {
  constructor(
    private readonly registrar: Pick<KeyRegistrar, 'prepare'>,
    private readonly keys: ApiKeys,
    private readonly refreshPool: () => Promise<unknown>,
  ) {}

  /** Verdicts in the order of the rows. */
  async register(command: RegisterKeys): Promise<RowVerdict[]> {
    const verdicts: RowVerdict[] = [];
    const seen = new Set<string>();
    let ready: { row: number; sealed: SealedKey }[] = [];
    const keep = async (): Promise<void> => {
      verdicts.push(...(await this.#keep(command, ready)));
      ready = [];
    };
    for await (const row of command.rows) {
      if ('errors' in row) {
        verdicts.push(row);
        continue;
      }
      const prepared = await this.#prepare(command.workspaceId, row.described);
      if ('errors' in prepared) verdicts.push({ row: row.row, errors: prepared.errors });
      else if (seen.has(prepared.fingerprint)) verdicts.push({ row: row.row, errors: tokenKnown().fields });
      else {
        seen.add(prepared.fingerprint);
        ready.push({ row: row.row, sealed: prepared });
      }
      if (ready.length === AT_ONCE) await keep();
    }
    if (ready.length > 0) await keep();
    await this.refreshPool().catch(() => undefined);
    return verdicts.sort((a, b) => a.row - b.row);
  }

  async #prepare(
    workspaceId: WorkspaceId,
    described: DescribedKey,
  ): Promise<SealedKey | { errors: readonly FieldFault[] }> {
    try {
      return await this.registrar.prepare(workspaceId, described);
    } catch (error) {
      if (isDomainError(error) && error.kind === 'invalid-input') return { errors: error.fields };
      throw error;
    }
  }

  async #keep(command: RegisterKeys, ready: { row: number; sealed: SealedKey }[]): Promise<RowVerdict[]> {
    const { actor, correlationId } = command;
    const note: AuditNote = { actor, action: 'key.register', correlationId };
    const added = await this.keys.addMany(
      ready.map(({ sealed }) => sealed),
      note,
    );
    return ready.map(({ row, sealed }) =>
      added.has(sealed.key.id) ? { row, id: sealed.key.id } : { row, errors: tokenKnown().fields },
    );
  }
}
