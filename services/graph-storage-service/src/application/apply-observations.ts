import { Clock, Randomness } from '@sociograph/kernel';
import { tooContended } from '../domain/errors';
import type { Friendship, SideChange } from '../domain/friendship';
import type { PersonRef } from '../domain/observation';
import { isKnown } from '../domain/own-list';
import {
  confirmationOf,
  confirmedPerson,
  decide,
  unknownPerson,
  type Decision,
  type Person,
  type Seen,
} from '../domain/person';
import {
  ChangeLog,
  GraphStore,
  Pause,
  StorageMeter,
  type ObservedKind,
  type SourcePositions,
} from '../domain/ports';
import type { SubscriptionChange } from '../domain/subscription';
import type { Vertex } from '../domain/vertex';
import { applyMembers, type SeenGroup } from './apply-members';
import { applyVertices, type SeenVertex } from './apply-vertices';
import { Confirmations } from './confirmations';
import { judgeDisputes } from './judge-disputes';
import { personKey, sideChanges } from './side-changes';
import { ownSubscriptionChanges } from './subscription-changes';
import { backOff, MAX_ATTEMPTS, writeFriendships, type WritingTools } from './write-friendships';
import { writeSubscriptions } from './write-subscriptions';

/** All observations of one person of a batch. */
export interface SeenPerson {
  ref: PersonRef;
  seen: Seen;
}

export interface ObservationBatch {
  partition: number;
  people: readonly SeenPerson[];
  /** Groups and posts. */
  vertices?: readonly SeenVertex[];
  /** Walks through the members of groups. */
  members?: readonly SeenGroup[];
  /** The input is done up to here once this batch is. */
  positions: SourcePositions;
  /** Keeps the membership of the consumer group; throws when the partition was taken away. */
  heartbeat(): Promise<void>;
}

/**
 * Ids on the lists that are compared in one go, about 150 MB while they are. What a unit costs at the store is a
 * handful of requests however little of it changed, so units are large; writes are cut up on their own.
 */
const IDS_PER_UNIT = 150_000;

/**
 * Merges a batch of observations into the graph: read, decide, edges, people, disputes, publish. The order
 * matters after a crash: a person is written after its edges, so an unfinished batch finds the old list and
 * does the same again; what was written but not published is published when the same observation returns.
 */
export class ApplyObservations {
  readonly #tools: Omit<WritingTools, 'heartbeat'>;

  constructor(
    private readonly store: GraphStore,
    private readonly log: ChangeLog,
    private readonly meter: StorageMeter,
    private readonly confirmations: Confirmations,
    private readonly clock: Clock,
    randomness: Randomness,
    pause: Pause,
  ) {
    this.#tools = { store, meter, pause, randomness };
  }

  execute(batch: ObservationBatch): Promise<void> {
    return this.executeTogether([batch]);
  }

  /**
   * Batches of different partitions as one: a batch costs the store a handful of requests, however small it is. Each
   * is published in its own partition, with its own positions. When it throws, all of them are to be done again.
   */
  async executeTogether(batches: readonly ObservationBatch[]): Promise<void> {
    const heartbeat = async (): Promise<void> => void (await batches[0]?.heartbeat());
    const tools = { ...this.#tools, heartbeat };
    const changes: Person[] = [];
    for (const unit of units(batches.flatMap(({ people }) => people))) {
      changes.push(...(await this.#apply(unit, tools)));
      await heartbeat();
    }
    const now = (): number => this.clock.nowMs();
    const seen = batches.flatMap(({ vertices = [] }) => vertices);
    const vertices = await applyVertices(seen, this.confirmations, now, tools);
    const members = batches.flatMap(({ members: groups = [] }) => groups);
    await applyMembers(members, this.confirmations, tools);
    await this.#publish(batches, changes, vertices);
  }

  /** What a batch brought goes to that batch's partition. */
  async #publish(
    batches: readonly ObservationBatch[],
    changes: readonly Person[],
    vertices: readonly Vertex[],
  ): Promise<void> {
    await Promise.all(
      batches.map(async (batch) => {
        const people = new Set(batch.people.map(({ ref }) => personKey(ref)));
        const others = new Set(batch.vertices?.map(({ kind, ref }) => `${kind} ${personKey(ref)}`));
        const own = changes.filter(({ ref }) => people.has(personKey(ref)));
        const ownVertices = vertices.filter(({ kind, ref }) => others.has(`${kind} ${personKey(ref)}`));
        await this.log.publish(own, batch.partition, batch.positions, ownVertices);
        const published = own.length + ownVertices.length;
        this.meter.published('change', published);
        if (published === 0) this.meter.published('marker', 1);
      }),
    );
  }

  /** The people whose state is to be published. */
  async #apply(unit: readonly SeenPerson[], tools: WritingTools): Promise<Person[]> {
    const decided: Decision[] = [];
    const changed: Friendship[] = [];
    let pending = unit;
    for (let attempt = 1; pending.length > 0; attempt++) {
      if (attempt > MAX_ATTEMPTS) throw tooContended(pending.length, attempt - 1);
      if (attempt > 1) await backOff(attempt - 1, tools);
      const round = await this.#round(pending, tools);
      decided.push(...round.decided);
      changed.push(...round.changed);
      pending = round.pending;
    }
    const people = decided.map(({ person }) => person).filter(({ list }) => isKnown(list));
    await judgeDisputes(people, changed, this.confirmations, tools);
    this.#remember(decided);
    return decided.filter(({ mustPublish }) => mustPublish).map(({ person }) => person);
  }

  /** One try for all that is pending; people that another writer changed meanwhile come back as pending. */
  async #round(
    pending: readonly SeenPerson[],
    tools: WritingTools,
  ): Promise<{ decided: Decision[]; changed: Friendship[]; pending: SeenPerson[] }> {
    const keys = pending.map(({ ref }) => personKey(ref));
    const { people, unanswered } = await this.store.read(keys);
    const now = this.clock.nowMs();
    const changes: SideChange[] = [];
    const subscribed: SubscriptionChange[] = [];
    const decisions = pending.map(({ ref, seen }, i) => {
      const key = keys[i] as string;
      const stored = people.get(key);
      const before = stored ?? unknownPerson(ref);
      const confirmation = this.confirmations.of(key);
      const decision = decide(before, confirmation, seen, now);
      if (decision.mustWrite) {
        const { list, subscriptions } = confirmedPerson(before, confirmation);
        const after = decision.person;
        changes.push(...sideChanges(ref, list, after.list, seen.lists));
        if (seen.subscriptions)
          subscribed.push(
            ...ownSubscriptionChanges(ref, subscriptions, after.subscriptions, seen.subscriptions),
          );
      }
      return { key, rev: stored?.rev, decision };
    });
    const changed = await writeFriendships(changes, unanswered, tools);
    await writeSubscriptions(subscribed, tools);
    const writes = decisions
      .filter(({ decision }) => decision.mustWrite)
      .map(({ decision, rev }) => ({ person: decision.person, rev }));
    const lost = new Set(writes.length > 0 ? (await this.store.writePeople(writes)).conflicts : []);
    this.meter.conflicts('person', lost.size);
    return {
      decided: decisions.filter(({ key }) => !lost.has(key)).map(({ decision }) => decision),
      changed,
      pending: pending.filter((_, i) => lost.has(keys[i] as string)),
    };
  }

  #remember(decided: readonly Decision[]): void {
    const fates = new Map<string, number>();
    for (const { person, mustWrite, fates: own } of decided) {
      const key = personKey(person.ref);
      if (mustWrite) this.confirmations.forget(key);
      else this.confirmations.remember(key, confirmationOf(person));
      for (const { kind, fate } of own) fates.set(`${kind} ${fate}`, (fates.get(`${kind} ${fate}`) ?? 0) + 1);
    }
    for (const [name, count] of fates) {
      const [kind = '', fate = ''] = name.split(' ');
      this.meter.observation(kind as ObservedKind, fate, count);
    }
  }
}

/** Parts of a batch of bounded size; a list larger than that stands alone. */
export function* units(people: readonly SeenPerson[]): Iterable<SeenPerson[]> {
  let unit: SeenPerson[] = [];
  let ids = 0;
  for (const person of people) {
    const lists = [...person.seen.lists, ...(person.seen.subscriptions ?? [])];
    const weight = lists.reduce((sum, list) => sum + list.ids.length, 1);
    if (unit.length > 0 && ids + weight > IDS_PER_UNIT) {
      yield unit;
      unit = [];
      ids = 0;
    }
    unit.push(person);
    ids += weight;
  }
  if (unit.length > 0) yield unit;
}
