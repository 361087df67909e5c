import type { ApiKey } from '../domain/api-key';
import { ApiKeys, type KeyFilter, type KeyHistoryEntry } from '../domain/api-keys';
import type { AuditNote } from '../domain/audit';
import { keyChangedMeanwhile, keyUnknown, tokenKnown } from '../domain/errors';
import { KeyCatalogue, type SealedKey, type StoredKey } from '../domain/ports';
import type { SealedToken } from '../domain/sealing';
import type { SealedRefresh } from '../domain/token-refresh';

interface KeptKey extends StoredKey {
  fingerprint: string;
  revision: number;
}

/** Keys of all workspaces, and at the same time the catalogue of them. */
export class InMemoryApiKeys extends ApiKeys {
  readonly notes: AuditNote[] = [];
  readonly refreshes = new Map<string, SealedRefresh>();
  readonly #kept = new Map<string, KeptKey>();
  readonly #entries = new Map<string, KeyHistoryEntry[]>();
  #revision = 0;

  async add(
    key: ApiKey,
    token: SealedToken,
    fingerprint: string,
    note: AuditNote,
    refresh?: SealedRefresh,
  ): Promise<void> {
    if (refresh !== undefined) this.refreshes.set(key.id, refresh);
    if (this.#isKnown(key.details.network, fingerprint)) throw tokenKnown();
    this.#keep({ key, token, fingerprint });
    this.#note(undefined, key, note);
  }

  async addMany(keys: readonly SealedKey[], note: AuditNote): Promise<ReadonlySet<string>> {
    const fresh = keys.filter(({ key, fingerprint }) => !this.#isKnown(key.details.network, fingerprint));
    for (const sealed of fresh)
      await this.add(sealed.key, sealed.token, sealed.fingerprint, note, sealed.refresh);
    return new Set(fresh.map(({ key }) => key.id));
  }

  async find(workspaceId: string, id: string): Promise<ApiKey | undefined> {
    return this.#visible(workspaceId, id)?.key;
  }

  async list(
    workspaceId: string,
    filter: KeyFilter,
    page: { limit: number; after?: string | undefined },
  ): Promise<ApiKey[]> {
    return [...this.#kept.values()]
      .map(({ key }) => key)
      .filter(({ details }) => details.workspaceId === workspaceId && details.state !== 'deleted')
      .filter(({ details }) => filter.network === undefined || details.network === filter.network)
      .filter(({ details }) => filter.state === undefined || details.state === filter.state)
      .filter(({ details }) => filter.kind === undefined || details.kind === filter.kind)
      .filter(({ details }) => filter.egress === undefined || details.egress === filter.egress)
      .filter(({ namedBucket }) => filter.bucket === undefined || namedBucket === filter.bucket)
      .filter(({ details }) => (details.label ?? '').startsWith(filter.labelPrefix ?? ''))
      .filter(({ id }) => page.after === undefined || id > page.after)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, page.limit);
  }

  async update(
    workspaceId: string,
    id: string,
    change: (key: ApiKey, fingerprint: string) => ApiKey,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<ApiKey> {
    const kept = this.#visible(workspaceId, id);
    if (
      kept === undefined &&
      ifVersion !== undefined &&
      this.#kept.get(id)?.key.details.workspaceId === workspaceId
    )
      throw keyChangedMeanwhile();
    if (kept === undefined) throw keyUnknown();
    if (ifVersion !== undefined && kept.key.details.version !== ifVersion) throw keyChangedMeanwhile();
    const key = change(kept.key, kept.fingerprint);
    if (key === kept.key) return key;
    const token = key.tokenIsOver ? { ...kept.token, bytes: new Uint8Array(0) } : kept.token;
    this.#keep({ ...kept, key, token });
    this.#note(kept.key, key, note);
    return key;
  }

  async replace(
    workspaceId: string,
    id: string,
    change: (key: ApiKey) => { retired: ApiKey; successor: ApiKey },
    sealed: Omit<SealedKey, 'key'>,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<{ retired: ApiKey; successor: ApiKey }> {
    const known = this.#visible(workspaceId, id);
    if (known !== undefined && this.#isKnown(known.key.details.network, sealed.fingerprint))
      throw tokenKnown();
    let successor: ApiKey | undefined;
    const retired = await this.update(
      workspaceId,
      id,
      (key) => {
        const made = change(key);
        successor = made.successor;
        return made.retired;
      },
      note,
      ifVersion,
    );
    await this.add(successor as ApiKey, sealed.token, sealed.fingerprint, note);
    return { retired, successor: successor as ApiKey };
  }

  async history(
    workspaceId: string,
    id: string,
    page: { limit: number; before?: number | undefined },
  ): Promise<KeyHistoryEntry[]> {
    if (this.#kept.get(id)?.key.details.workspaceId !== workspaceId) throw keyUnknown();
    return (this.#entries.get(id) ?? [])
      .filter(({ version }) => page.before === undefined || version < page.before)
      .sort((a, b) => b.version - a.version)
      .slice(0, page.limit);
  }

  /** Puts other sealed bytes of the same token into a row. */
  reseal(id: string, token: SealedToken): void {
    const kept = this.#kept.get(id);
    if (kept !== undefined) this.#keep({ ...kept, token });
  }

  /** Rows above a revision, as the catalogue reads them. */
  since(revision: number): { keys: StoredKey[]; next: number } {
    const keys = [...this.#kept.values()]
      .filter((kept) => kept.revision > revision)
      .sort((a, b) => a.revision - b.revision);
    return { keys, next: this.#revision };
  }

  #isKnown(network: string, fingerprint: string): boolean {
    return [...this.#kept.values()].some(
      (kept) =>
        kept.key.details.network === network && !kept.key.tokenIsOver && kept.fingerprint === fingerprint,
    );
  }

  #note(known: ApiKey | undefined, next: ApiKey, note: AuditNote): void {
    this.notes.push(note);
    const { version, updatedAt, reason, state } = next.details;
    const changes = { state: { from: known?.state ?? null, to: state } };
    const { actor, action, correlationId = null } = note;
    const entry = { version, at: updatedAt, actor, action, changes, reason, correlationId };
    this.#entries.set(next.id, [...(this.#entries.get(next.id) ?? []), entry]);
  }

  #keep(kept: Omit<KeptKey, 'revision'>): void {
    this.#revision += 1;
    this.#kept.set(kept.key.id, { ...kept, revision: this.#revision });
  }

  #visible(workspaceId: string, id: string): KeptKey | undefined {
    const kept = this.#kept.get(id);
    const visible = kept?.key.details.workspaceId === workspaceId && kept.key.state !== 'deleted';
    return visible ? kept : undefined;
  }
}

export class InMemoryKeyCatalogue extends KeyCatalogue {
  constructor(private readonly keys: InMemoryApiKeys) {
    super();
  }

  async changedSince(since: number): Promise<{ keys: StoredKey[]; next: number }> {
    return this.keys.since(since);
  }
}
