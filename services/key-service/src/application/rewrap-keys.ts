import { sealBroken } from '../domain/errors';
import {
  DataKeys,
  KeyVault,
  Kms,
  SealedStore,
  type StoredToken,
  type WrappedDataKey,
} from '../domain/sealing';

export interface RewrapReport {
  /** Data keys that are under the newest master key now, and of these those that were not before. */
  dataKeys: number;
  rewrapped: number;
  /** Tokens that were sealed anew under a new data key. */
  resealed: number;
}

/** How a data key is bound to its place; the vault's own. */
export type ContextOf = (workspaceId: string) => Record<string, string>;

/** Makes a data key of a workspace that seals from now on. */
export type NewDataKey = (workspaceId: string) => Promise<WrappedDataKey>;

const PAGE = 200;
/** The whole fleet's own data key: what is derived from it must never change. */
const FLEET = '*';

/**
 * Puts all data keys under the newest master key, and on request all tokens under new data keys, while leasing goes
 * on: a row is written only if it is what was read, and read back and opened before it counts. What is done already is
 * skipped, so that a run that was broken off is simply run again; with `resume` tokens that are under the newest data
 * keys are skipped, too.
 */
export class KeyRewrapper {
  constructor(
    private readonly store: SealedStore,
    private readonly dataKeys: Pick<DataKeys, 'byId' | 'newest'>,
    private readonly kms: Kms,
    private readonly vault: Pick<KeyVault, 'open' | 'forget'> & {
      sealUnder(dataKey: WrappedDataKey, ...of: Parameters<KeyVault['seal']>): ReturnType<KeyVault['seal']>;
    },
    private readonly options: {
      contextOf: ContextOf;
      newDataKey: NewDataKey;
      /** From here on a run with `tokens` can be resumed. */
      onDataKeysMade?: () => void;
    },
  ) {}

  async run(options: { tokens: boolean; resume: boolean }): Promise<RewrapReport> {
    const report: RewrapReport = { dataKeys: 0, rewrapped: 0, resealed: 0 };
    const workspaces = new Set<string>();
    // Services may make data keys meanwhile: rounds go on until one finds nothing to do.
    for (let open = true; open;) {
      open = false;
      report.dataKeys = 0;
      for await (const key of this.#all()) {
        report.dataKeys += 1;
        workspaces.add(key.workspaceId);
        if (await this.#isDone(key)) continue;
        await this.#rewrap(key);
        report.rewrapped += 1;
        open = true;
      }
    }
    if (options.tokens) {
      workspaces.delete(FLEET);
      const sorted = [...workspaces].sort();
      // All of them first: a run that is broken off later goes on with these.
      if (!options.resume) for (const workspaceId of sorted) await this.options.newDataKey(workspaceId);
      this.options.onDataKeysMade?.();
      for (const workspaceId of sorted) report.resealed += await this.#reseal(workspaceId);
    }
    return report;
  }

  async *#all(): AsyncIterable<WrappedDataKey> {
    let after: string | undefined;
    for (;;) {
      const page = await this.store.dataKeys(after, PAGE);
      yield* page;
      after = page.at(-1)?.id;
      if (page.length < PAGE) return;
    }
  }

  #isDone(key: WrappedDataKey): Promise<boolean> {
    return this.kms.isNewest(key.wrapped, this.options.contextOf(key.workspaceId));
  }

  async #rewrap(key: WrappedDataKey): Promise<void> {
    const context = this.options.contextOf(key.workspaceId);
    const plain = await this.kms.unwrap(key.wrapped, context);
    const wrapped = await this.kms.wrap(plain, context);
    if (!(await this.kms.unwrap(wrapped, context)).equals(plain)) throw sealBroken();
    // Somebody else was first: the next round looks at what he wrote.
    if (!(await this.store.rewrap(key.id, key.wrapped, wrapped))) return;
    const kept = await this.dataKeys.byId(key.id);
    const opened = kept === undefined ? undefined : await this.kms.unwrap(kept.wrapped, context);
    if (opened?.equals(plain) !== true) throw sealBroken();
  }

  async #reseal(workspaceId: string): Promise<number> {
    const dataKey = await this.dataKeys.newest(workspaceId);
    if (dataKey === undefined) return 0;
    let resealed = 0;
    for (;;) {
      const page = await this.store.tokensNotUnder(workspaceId, dataKey.id, PAGE);
      for (const token of page) if (await this.#resealOne(token, dataKey)) resealed += 1;
      if (page.length < PAGE) return resealed;
    }
  }

  async #resealOne(token: StoredToken, dataKey: WrappedDataKey): Promise<boolean> {
    const plain = await this.vault.open(token.sealed, token.binding);
    const sealed = await this.vault.sealUnder(dataKey, plain, token.binding);
    if (!(await this.store.reseal(token, sealed))) return false;
    const kept = await this.store.read(token);
    if (kept === undefined) return false;
    if (kept.dataKeyId !== dataKey.id) return true;
    // What it opened before is in its memory, and would prove nothing.
    this.vault.forget(token.binding.keyId);
    const opened = await this.vault.open(kept, token.binding);
    if (opened.reveal() !== plain.reveal()) throw sealBroken();
    return true;
  }
}
