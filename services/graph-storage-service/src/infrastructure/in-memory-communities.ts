import { vertexKey } from '@sociograph/contracts';
import type { MemberList } from '../domain/member-list';
import { CommunityStore, type SubscriptionWrites, type Versioned, type WriteOutcome } from '../domain/ports';
import type { Subscription } from '../domain/subscription';
import type { Vertex } from '../domain/vertex';
import { VersionedMaps } from './versioned-maps';

/** Groups, posts and subscriptions in memory, with revisions; `refuse` makes chosen writes conflict. */
export class InMemoryCommunities extends CommunityStore {
  readonly edges = new Map<string, Versioned<Subscription>>();
  readonly things = {
    group: new Map<string, Versioned<Vertex>>(),
    post: new Map<string, Versioned<Vertex>>(),
  };
  readonly lists = new Map<string, Versioned<MemberList>>();
  readonly #maps: VersionedMaps;

  constructor(refuse: () => boolean = () => false) {
    super();
    this.#maps = new VersionedMaps(refuse);
  }

  /** Documents written: unchanged input must leave it alone. */
  get writes(): number {
    return this.#maps.writes;
  }

  async subscriptions(keys: readonly string[]): Promise<Map<string, Versioned<Subscription>>> {
    return pick(this.edges, keys);
  }

  async writeSubscriptions({ create, replace, remove }: SubscriptionWrites): Promise<WriteOutcome> {
    const outcome: WriteOutcome = { written: 0, conflicts: [] };
    for (const edge of create) this.#maps.put(this.edges, edge.key, edge, undefined, outcome);
    for (const edge of replace) this.#maps.put(this.edges, edge.key, edge, edge.rev, outcome);
    for (const { key, rev } of remove) this.#maps.put(this.edges, key, undefined, rev, outcome);
    return outcome;
  }

  async vertices(kind: Vertex['kind'], keys: readonly string[]): Promise<Map<string, Versioned<Vertex>>> {
    return pick(this.things[kind], keys);
  }

  async writeVertices(
    kind: Vertex['kind'],
    vertices: readonly { vertex: Vertex; rev: string | undefined }[],
  ): Promise<WriteOutcome> {
    const outcome: WriteOutcome = { written: 0, conflicts: [] };
    for (const { vertex, rev } of vertices)
      this.#maps.put(this.things[kind], keyOf(vertex), vertex, rev, outcome);
    return outcome;
  }

  async memberLists(keys: readonly string[]): Promise<Map<string, Versioned<MemberList>>> {
    return pick(this.lists, keys);
  }

  async writeMemberLists(
    lists: readonly { list: MemberList; rev: string | undefined }[],
  ): Promise<WriteOutcome> {
    const outcome: WriteOutcome = { written: 0, conflicts: [] };
    for (const { list, rev } of lists) this.#maps.put(this.lists, keyOf(list), list, rev, outcome);
    return outcome;
  }
}

function keyOf({ ref }: Pick<Vertex, 'ref'>): string {
  return vertexKey(ref.workspaceId, ref.network, ref.id);
}

function pick<T>(from: ReadonlyMap<string, T>, keys: readonly string[]): Map<string, T> {
  return new Map(keys.flatMap((key) => (from.has(key) ? [[key, from.get(key) as T] as const] : [])));
}
