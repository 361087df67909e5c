import { setFlagsFromString } from 'node:v8';
import type { Ids } from '@sociograph/kernel';
import { Outbox, type OutboxRow } from '@sociograph/messaging';
import { prismaInWorkspace, type Queryable, type QueryOutcome } from '@sociograph/postgres';
import { PrismaPg } from '@prisma/adapter-pg';
import { Prisma, PrismaClient } from '../../generated/prisma';
import type { ApiKey } from '../domain/api-key';
import { keyChangedMeanwhile, keyUnknown, tokenKnown, tooManyKeys } from '../domain/errors';
import { NETWORK_NAMES } from '../domain/networks';
import { ApiKeys, type KeyFilter, type KeyHistoryEntry } from '../domain/api-keys';
import type { AuditNote } from '../domain/audit';
import type { SealedKey } from '../domain/ports';
import type { SealedRefresh } from '../domain/token-refresh';
import { addKeysInBulk } from './add-keys-in-bulk';
import { keepRefreshTokens } from './keep-refresh-tokens';
import { announcementsOf, entryOf, historyRowOf } from './key-announcements';
import { firstColumnsOf, keyOf, laterColumnsOf, type Row, SHREDDED } from './key-rows';

type Transaction = Prisma.TransactionClient;

const MAX_TRIES = 5;
/** Keys of one statement when many are added. */
const ADDED_AT_ONCE = 500;

/** A client on the serving role's connections; made here because the driver adapter is a driver. */
export function openPrisma(url: string): PrismaClient {
  // The query compiler is WebAssembly: optimising it costs 11 MB, and nothing hot goes through it.
  setFlagsFromString('--liftoff-only');
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 10 }) });
}

/** Keys of one workspace through Prisma; row-level security holds in every transaction. */
export class PrismaApiKeys extends ApiKeys {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly ids: Ids,
    /** Keys that a workspace may have. */
    private readonly most: (workspaceId: string) => Promise<number> = async () => Infinity,
  ) {
    super();
  }

  async add(
    key: ApiKey,
    token: SealedKey['token'],
    fingerprint: string,
    note: AuditNote,
    refresh?: SealedRefresh,
  ): Promise<void> {
    const sealed: SealedKey = { key, token, fingerprint, refresh };
    const { workspaceId } = key.details;
    const most = await this.most(workspaceId);
    await this.#within(workspaceId, async (tx) => {
      await admit(tx, workspaceId, 1, most);
      await this.#insert(tx, sealed, note);
    });
  }

  async addMany(keys: readonly SealedKey[], note: AuditNote): Promise<ReadonlySet<string>> {
    const added = new Set<string>();
    for (let from = 0; from < keys.length; from += ADDED_AT_ONCE) {
      const part = keys.slice(from, from + ADDED_AT_ONCE);
      const workspaceId = part[0]?.key.details.workspaceId ?? '';
      const most = await this.most(workspaceId);
      await this.#within(workspaceId, async (tx) => {
        await admit(tx, workspaceId, part.length, most);
        const kept = await addKeysInBulk(tx, part, note);
        await keepRefreshTokens(
          tx,
          part.filter(({ key }) => kept.has(key.id)),
        );
        const made = part.filter(({ key }) => kept.has(key.id)).map(({ key }) => key);
        await this.#announce(
          tx,
          made.flatMap((key) => announcementsOf(key, note, this.ids)),
        );
        for (const id of kept) added.add(id);
      });
    }
    return added;
  }

  async find(workspaceId: string, id: string): Promise<ApiKey | undefined> {
    return prismaInWorkspace(this.prisma, workspaceId, async (tx: Transaction) => {
      const row = await findRow(tx, id);
      return row === null ? undefined : keyOf(row);
    });
  }

  async list(
    workspaceId: string,
    filter: KeyFilter,
    page: { limit: number; after?: string | undefined },
  ): Promise<ApiKey[]> {
    const { network, state, kind, labelPrefix, egress, bucket } = filter;
    return prismaInWorkspace(this.prisma, workspaceId, async (tx: Transaction) => {
      const rows = await tx.apiKey.findMany({
        where: {
          deletedAt: null,
          ...(network !== undefined && { network }),
          ...(state !== undefined && { status: state }),
          ...(kind !== undefined && { kind }),
          ...(labelPrefix !== undefined && { label: { startsWith: escaped(labelPrefix) } }),
          ...(egress !== undefined && { egress }),
          // The middle of a bucket's name is the network, which a filter need not give.
          ...(bucket !== undefined && {
            bucket: { in: [...namesOf(workspaceId, network, bucket)] },
          }),
          ...(page.after !== undefined && { id: { gt: page.after } }),
        },
        orderBy: { id: 'asc' },
        take: page.limit,
      });
      return rows.map(keyOf);
    });
  }

  async update(
    workspaceId: string,
    id: string,
    change: (key: ApiKey, fingerprint: string) => ApiKey,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<ApiKey> {
    return this.#again(workspaceId, ifVersion, async (tx) => {
      const { known, row } = await this.#seen(tx, id, ifVersion);
      const next = change(known, row.fingerprint);
      return (await this.#write(tx, known, next, note)) ? next : undefined;
    });
  }

  async replace(
    workspaceId: string,
    id: string,
    change: (key: ApiKey) => { retired: ApiKey; successor: ApiKey },
    sealed: Omit<SealedKey, 'key'>,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<{ retired: ApiKey; successor: ApiKey }> {
    return this.#again(workspaceId, ifVersion, async (tx) => {
      const { known } = await this.#seen(tx, id, ifVersion);
      const { retired, successor } = change(known);
      if (!(await this.#write(tx, known, retired, note))) return undefined;
      await this.#insert(tx, { ...sealed, key: successor }, note);
      return { retired, successor };
    });
  }

  async history(
    workspaceId: string,
    id: string,
    page: { limit: number; before?: number | undefined },
  ): Promise<KeyHistoryEntry[]> {
    return prismaInWorkspace(this.prisma, workspaceId, async (tx: Transaction) => {
      if ((await tx.apiKey.count({ where: { id } })) === 0) throw keyUnknown();
      const rows = await tx.keyHistory.findMany({
        where: { keyId: id, ...(page.before !== undefined && { version: { lt: page.before } }) },
        orderBy: { version: 'desc' },
        take: page.limit,
      });
      return rows.map(entryOf);
    });
  }

  /** `work` answers undefined when another change came first; who named a version has lost then. */
  async #again<R>(
    workspaceId: string,
    ifVersion: number | undefined,
    work: (tx: Transaction) => Promise<R | undefined>,
  ): Promise<R> {
    const tries = ifVersion === undefined ? MAX_TRIES : 1;
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      const done = await this.#within(workspaceId, work);
      if (done !== undefined) return done;
    }
    throw keyChangedMeanwhile();
  }

  async #within<R>(workspaceId: string, work: (tx: Transaction) => Promise<R>): Promise<R> {
    try {
      return await prismaInWorkspace(this.prisma, workspaceId, work);
    } catch (error) {
      if (isTokenTwice(error)) throw tokenKnown();
      throw error;
    }
  }

  async #seen(
    tx: Transaction,
    id: string,
    ifVersion: number | undefined,
  ): Promise<{ known: ApiKey; row: Row }> {
    const row = await findRow(tx, id);
    // Its deletion is a change, too: of two who delete it at once one is told that he came late.
    if (row === null && ifVersion !== undefined && (await tx.apiKey.count({ where: { id } })) > 0)
      throw keyChangedMeanwhile();
    if (row === null) throw keyUnknown();
    if (ifVersion !== undefined && ifVersion !== row.version) throw keyChangedMeanwhile();
    return { known: keyOf(row), row };
  }

  /** False when another change came first. */
  async #write(tx: Transaction, known: ApiKey, next: ApiKey, note: AuditNote): Promise<boolean> {
    if (next === known) return true;
    const { count } = await tx.apiKey.updateMany({
      where: { id: known.id, version: known.details.version },
      data: { ...laterColumnsOf(next), ...(next.tokenIsOver && { tokenEncrypted: SHREDDED }) },
    });
    if (count === 0) return false;
    await this.#note(tx, known, next, note);
    return true;
  }

  async #insert(tx: Transaction, sealed: SealedKey, note: AuditNote): Promise<void> {
    await tx.apiKey.create({ data: firstColumnsOf(sealed) });
    await keepRefreshTokens(tx, [sealed]);
    await this.#note(tx, undefined, sealed.key, note);
  }

  async #note(tx: Transaction, known: ApiKey | undefined, next: ApiKey, note: AuditNote): Promise<void> {
    await tx.keyHistory.create({ data: historyRowOf(known, next, note) });
    await this.#announce(tx, announcementsOf(next, note, this.ids));
  }

  #announce(tx: Transaction, rows: OutboxRow[]): Promise<void> {
    return Outbox.add(queryableOf(tx), rows, this.ids);
  }
}

function findRow(tx: Transaction, id: string): Promise<Row | null> {
  return tx.apiKey.findFirst({ where: { id, deletedAt: null } });
}

/** Prisma hands `%` and `_` on to LIKE as they are. */
function escaped(prefix: string): string {
  return prefix.replace(/[\\%_]/g, (sign) => `\\${sign}`);
}

function namesOf(workspaceId: string, network: string | undefined, bucket: string): string[] {
  const networks = network === undefined ? NETWORK_NAMES : [network];
  return networks.map((name) => `${workspaceId}:${name}:${bucket}`);
}

/** The outbox writes through the transaction that Prisma opened; it reads nothing back. */
function queryableOf(tx: Transaction): Queryable {
  return {
    async query<R>(text: string, values: readonly unknown[] = []): Promise<QueryOutcome<R>> {
      return { rows: [], rowCount: await tx.$executeRawUnsafe(text, ...values) };
    },
  };
}

function isTokenTwice(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

/** One at a time for a workspace, so that two cannot both take the last place. Deleted keys do not count. */
async function admit(tx: Transaction, workspaceId: string, more: number, most: number): Promise<void> {
  if (most === Infinity) return;
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`keys of ${workspaceId}`}, 9))`;
  const known = await tx.apiKey.count({ where: { workspaceId, deletedAt: null } });
  if (known + more > most) throw tooManyKeys(most);
}
