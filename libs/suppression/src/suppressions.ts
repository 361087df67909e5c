import type { KeyObject } from 'node:crypto';
import type { personSuppressed, PayloadOf } from '@sociograph/contracts';
import type { Secret } from '@sociograph/kernel';
import { keyObject, markWith } from './mark';

/** One person who is not to be known any more, as the topic says it. */
export type Mark = PayloadOf<typeof personSuppressed>;

/** Verdicts remembered for each workspace and network: about 100 bytes each. */
const REMEMBERED = 200_000;

interface Scope {
  marks: Set<string>;
  /** Id -> whether it is suppressed; an HMAC costs about 2 microseconds, looking here a tenth of one. */
  verdicts: Map<string, boolean>;
}

/**
 * Who was erased, in this process. Where nobody was erased in a workspace and network the answer costs a lookup;
 * elsewhere an id costs one HMAC when it is first met.
 */
export class Suppressions {
  readonly #key: KeyObject;
  readonly #scopes = new Map<string, Scope>();
  readonly #listeners = new Set<(mark: Mark) => void>();
  #size = 0;

  constructor(
    key: Secret,
    private readonly remembered = REMEMBERED,
  ) {
    this.#key = keyObject(key);
  }

  /** People known to be erased. */
  get size(): number {
    return this.#size;
  }

  /** Takes up a mark; false when it was known. */
  add(mark: Mark): boolean {
    const scope = this.#scope(mark.workspaceId, mark.network) ?? this.#newScope(mark);
    if (scope.marks.has(mark.mark)) return false;
    scope.marks.add(mark.mark);
    scope.verdicts.clear();
    this.#size += 1;
    for (const listener of this.#listeners) listener(mark);
    return true;
  }

  /** Hears of every mark that is new from now on. */
  onMark(listener: (mark: Mark) => void): void {
    this.#listeners.add(listener);
  }

  /** The mark that a person has or would have. */
  markOf(workspaceId: string, network: string, id: string): string {
    return markWith(this.#key, workspaceId, network, id);
  }

  /** False: nobody of this workspace and network was erased, nothing needs to be looked at. */
  concerns(workspaceId: string, network: string): boolean {
    return this.#scope(workspaceId, network) !== undefined;
  }

  isSuppressed(workspaceId: string, network: string, id: string): boolean {
    const scope = this.#scope(workspaceId, network);
    if (scope === undefined) return false;
    const known = scope.verdicts.get(id);
    if (known !== undefined) return known;
    const verdict = scope.marks.has(this.markOf(workspaceId, network, id));
    if (scope.verdicts.size >= this.remembered) scope.verdicts.clear();
    scope.verdicts.set(id, verdict);
    return verdict;
  }

  /** The ids without erased people; the very same array when there is none among them. */
  without(workspaceId: string, network: string, ids: readonly string[]): readonly string[] {
    if (!this.concerns(workspaceId, network)) return ids;
    const kept = ids.filter((id) => !this.isSuppressed(workspaceId, network, id));
    return kept.length === ids.length ? ids : kept;
  }

  #scope(workspaceId: string, network: string): Scope | undefined {
    return this.#scopes.get(`${workspaceId}:${network}`);
  }

  #newScope({ workspaceId, network }: Mark): Scope {
    const scope: Scope = { marks: new Set(), verdicts: new Map() };
    this.#scopes.set(`${workspaceId}:${network}`, scope);
    return scope;
  }
}
