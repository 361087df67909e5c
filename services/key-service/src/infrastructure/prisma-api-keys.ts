import { setFlagsFromString } from 'node:v8';
import { actionAudited, keyChanged } from '@sociograph/contracts';
import type { Ids, KeyId, WorkspaceId } from '@sociograph/kernel';
import { Outbox } from '@sociograph/messaging';
import { prismaInWorkspace, type Queryable, type QueryOutcome } from '@sociograph/postgres';
import { PrismaPg } from '@prisma/adapter-pg';
import { Prisma, PrismaClient } from '../../generated/prisma';
import { ApiKey, type KeyState } from '../domain/api-key';
import { keyChangedMeanwhile, keyUnknown, tokenKnown } from '../domain/errors';
import type { KeyLimits } from '../domain/key-settings';
import type { KeyKind } from '../domain/networks';
import { ApiKeys, type AuditNote, type KeyFilter, type SealedToken } from '../domain/ports';

type Row = NonNullable<Awaited<ReturnType<PrismaClient['apiKey']['findUnique']>>>;
type Transaction = Prisma.TransactionClient;

const MAX_TRIES = 5;

/** A client on the serving role's connections; made here because the driver adapter is a driver. */
export function openPrisma(url: string): PrismaClient {
  // The query compiler is WebAssembly: optimising it costs 11 MB, and nothing hot goes through it.
  setFlagsFromString('--liftoff-only');
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 5 }) });
}

/** Keys of one workspace through Prisma; row-level security holds in every transaction. */
export class PrismaApiKeys extends ApiKeys {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly ids: Ids,
  ) {
    super();
  }

  async add(key: ApiKey, token: SealedToken, fingerprint: string, note: AuditNote): Promise<void> {
    const { details } = key;
    try {
      await prismaInWorkspace(this.prisma, details.workspaceId, async (tx: Transaction) => {
        await tx.apiKey.create({
          data: {
            ...columnsOf(key),
            id: details.id,
            workspaceId: details.workspaceId,
            network: details.network,
            kind: details.kind,
            tokenEncrypted: new Uint8Array(token.bytes),
            dataKeyId: token.dataKeyId,
            fingerprint,
            consentGivenBy: details.consent.givenBy,
            consentAt: new Date(details.consent.at),
            replaces: details.replaces,
            createdAt: new Date(details.createdAt),
          },
        });
        await this.#announce(tx, key, note);
      });
    } catch (error) {
      if (isTokenTwice(error)) throw tokenKnown();
      throw error;
    }
  }

  async find(workspaceId: string, id: string): Promise<ApiKey | undefined> {
    return prismaInWorkspace(this.prisma, workspaceId, (tx: Transaction) => findRow(tx, id).then(restore));
  }

  async list(
    workspaceId: string,
    filter: KeyFilter,
    page: { limit: number; after?: string | undefined },
  ): Promise<ApiKey[]> {
    return prismaInWorkspace(this.prisma, workspaceId, async (tx: Transaction) => {
      const rows = await tx.apiKey.findMany({
        where: {
          deletedAt: null,
          ...(filter.network !== undefined && { network: filter.network }),
          ...(filter.state !== undefined && { status: filter.state }),
          ...(page.after !== undefined && { id: { gt: page.after } }),
        },
        orderBy: { id: 'asc' },
        take: page.limit,
      });
      return rows.flatMap((row) => restore(row) ?? []);
    });
  }

  async update(
    workspaceId: string,
    id: string,
    change: (key: ApiKey) => ApiKey,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<ApiKey> {
    for (let attempt = 1; attempt <= MAX_TRIES; attempt += 1) {
      const changed = await prismaInWorkspace(this.prisma, workspaceId, async (tx: Transaction) => {
        const known = restore(await findRow(tx, id));
        if (known === undefined) throw keyUnknown();
        if (ifVersion !== undefined && ifVersion !== known.details.version) throw keyChangedMeanwhile();
        const next = change(known);
        if (next === known) return known;
        const { count } = await tx.apiKey.updateMany({
          where: { id, version: known.details.version },
          data: columnsOf(next),
        });
        if (count === 0) return undefined;
        await this.#announce(tx, next, note);
        return next;
      });
      if (changed !== undefined) return changed;
    }
    throw keyChangedMeanwhile();
  }

  async #announce(tx: Transaction, key: ApiKey, note: AuditNote): Promise<void> {
    const { id, workspaceId, network, kind, state, reason, version, updatedAt } = key.details;
    await Outbox.add(
      queryableOf(tx),
      [
        Outbox.event(keyChanged, id, {
          keyId: id,
          workspaceId,
          network,
          kind,
          state,
          ...(reason !== null && { reason }),
          at: updatedAt,
          version,
        }),
        Outbox.event(actionAudited, workspaceId, {
          auditId: this.ids.next(),
          workspaceId,
          actor: note.actor,
          action: note.action,
          target: `key/${id}`,
          at: updatedAt,
          ...(note.correlationId !== undefined && { correlationId: note.correlationId }),
          result: 'done',
        }),
      ],
      this.ids,
    );
  }
}

function findRow(tx: Transaction, id: string): Promise<Row | null> {
  return tx.apiKey.findFirst({ where: { id, deletedAt: null } });
}

/** What changes during the life of a key. */
function columnsOf(key: ApiKey) {
  const { details } = key;
  return {
    label: details.label,
    status: details.state,
    statusReason: details.reason,
    tokenVersion: details.tokenVersion,
    rateLimit: { ...details.limits } as Prisma.InputJsonObject,
    weight: details.weight,
    bucket: details.bucket,
    egress: details.egress,
    ownerId: details.ownerId,
    scopes: [...details.scopes],
    sharedWith: [...details.sharedWith],
    consentEndedAt: details.consent.endedAt === null ? null : new Date(details.consent.endedAt),
    replacedBy: details.replacedBy,
    version: details.version,
    updatedAt: new Date(details.updatedAt),
    deletedAt: details.state === 'deleted' ? new Date(details.updatedAt) : null,
  };
}

function restore(row: Row | null): ApiKey | undefined {
  if (row === null) return undefined;
  return ApiKey.restore({
    id: row.id as KeyId,
    workspaceId: row.workspaceId as WorkspaceId,
    network: row.network,
    kind: row.kind as KeyKind,
    label: row.label,
    state: row.status as KeyState,
    reason: row.statusReason,
    limits: row.rateLimit as unknown as KeyLimits,
    weight: row.weight,
    bucket: row.bucket,
    egress: row.egress,
    ownerId: row.ownerId,
    scopes: row.scopes,
    sharedWith: row.sharedWith,
    consent: {
      givenBy: row.consentGivenBy,
      at: row.consentAt.getTime(),
      endedAt: row.consentEndedAt?.getTime() ?? null,
    },
    replaces: row.replaces as KeyId | null,
    replacedBy: row.replacedBy as KeyId | null,
    lastUsedAt: row.lastUsedAt?.getTime() ?? null,
    version: row.version,
    tokenVersion: row.tokenVersion,
    createdAt: row.createdAt.getTime(),
    updatedAt: row.updatedAt.getTime(),
  });
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
