import { wallOwnerOf } from '@sociograph/contracts';
import type { Postgres } from '@sociograph/postgres';
import type { FollowedSuppressions, Suppressions } from '@sociograph/suppression';
import type { LogPositions, Observation, Sighting } from '../domain/observation';
import type {
  Call,
  CallResult,
  DispatchBounds,
  DispatchPlan,
  KeptAnswer,
  Lane,
  LaneView,
} from '../domain/ports';
import { KafkaObservations } from './kafka-observations';
import { PgCallLedger } from './pg-call-ledger';
import type { PgForgetting } from './pg-forgetting';
import { mayBeKept } from './pg-kept-answers';
import { PrismaImports } from './prisma-imports';
import type { SealedAnswers } from './sealed-answers';

type Known = Pick<FollowedSuppressions, 'suppressions' | 'caughtUp' | 'dropped'>;

/** A ledger that hands out nobody who was erased. Before all marks are known it dispatches and gives out nothing. */
export class FilteringLedger extends PgCallLedger {
  constructor(
    private readonly worker: Postgres,
    private readonly known: Known,
    private readonly forgetting: PgForgetting,
    private readonly sealed: SealedAnswers,
    /** Hears of each item that a call ended as a gap. */
    private readonly onGap: (cause: string) => void = () => undefined,
  ) {
    super(worker);
  }

  override async dispatch(
    lane: Lane,
    plan: (view: LaneView) => DispatchPlan,
    bounds?: DispatchBounds,
  ): Promise<number> {
    await this.known.caughtUp;
    return super.dispatch(lane, plan, bounds);
  }

  override async find(callId: string): Promise<Call | undefined> {
    await this.known.caughtUp;
    const call = await this.opened(callId);
    if (call === undefined || !call.wanted) return call;
    const removed = await this.forgetting.removeFrom(call.importId, call, call.people);
    this.known.dropped('item', removed);
    if (removed === 0) return call;
    const left = await this.opened(callId);
    if (left === undefined) return undefined;
    const people = left.people.filter((person) => left.items.some((item) => item.person === person));
    // Nobody left to ask for: the call is put back and ends.
    return { ...left, people, wanted: left.wanted && people.length > 0 };
  }

  /** An answer names people who were erased as well: it does not lie in the row as it came. */
  override async keep(callId: string, answer: KeptAnswer): Promise<boolean> {
    if (!mayBeKept(answer)) return false;
    return super.keep(callId, { ...answer, body: await this.sealed.seal(callId, answer.body) });
  }

  private async opened(callId: string): Promise<Call | undefined> {
    const call = await super.find(callId);
    if (call?.kept === undefined) return call;
    const body = await this.sealed.open(callId, call.kept.body);
    return { ...call, kept: body === undefined ? undefined : { ...call.kept, body } };
  }

  override async finish(callId: string, result: CallResult, importId?: string): Promise<boolean> {
    const ended = await super.finish(callId, await this.withoutErased(callId, result), importId);
    if (ended) for (const { cause } of result.gaps) this.onGap(cause);
    return ended;
  }

  private async withoutErased(callId: string, result: CallResult): Promise<CallResult> {
    const { suppressions } = this.known;
    if (result.found.length === 0 || suppressions.size === 0) return result;
    const { rows } = await this.worker.query<{ workspace_id: string; network: string }>(
      'SELECT workspace_id, network FROM calls WHERE id = $1',
      [callId],
    );
    const [call] = rows;
    if (call === undefined) return result;
    const found = result.found.filter(
      ({ person }) => !suppressions.isSuppressed(call.workspace_id, call.network, person),
    );
    this.known.dropped('item', result.found.length - found.length);
    return { ...result, found };
  }
}

/** Nobody who was erased is published, neither by themselves nor in the lists of others. */
export class FilteringObservations extends KafkaObservations {
  constructor(
    publisher: ConstructorParameters<typeof KafkaObservations>[0],
    private readonly known: Known,
  ) {
    super(publisher);
  }

  override async publish(sighting: Sighting, observations: readonly Observation[]): Promise<LogPositions> {
    await this.known.caughtUp;
    const { suppressions, dropped } = this.known;
    if (!suppressions.concerns(sighting.workspaceId, sighting.network))
      return super.publish(sighting, observations);
    const kept = observations.flatMap((observation) => withoutErased(observation, sighting, suppressions));
    dropped('observation', observations.length - kept.length);
    return kept.length === 0 ? {} : super.publish(sighting, kept);
  }
}

/** Imports whose seeds are erased people start without them, and do not keep who was asked for. */
export class FilteringImports extends PrismaImports {
  private readonly forgetting: PgForgetting;

  constructor(forgetting: PgForgetting, ...connections: ConstructorParameters<typeof PrismaImports>) {
    super(...connections);
    this.forgetting = forgetting;
  }

  override async add(...asked: Parameters<PrismaImports['add']>): Promise<void> {
    await super.add(...asked);
    const { id, workspaceId, network, seeds } = asked[0].snapshot;
    await this.forgetting.removeFrom(id, { workspaceId, network }, seeds);
  }
}

/** The observation as it may be published: none, or one that names nobody who was erased. */
export function withoutErased(
  observation: Observation,
  { workspaceId, network }: Pick<Sighting, 'workspaceId' | 'network'>,
  suppressions: Suppressions,
): Observation[] {
  const erased = (id: string | undefined): boolean =>
    id !== undefined && suppressions.isSuppressed(workspaceId, network, id);
  const without = (ids: string[]): string[] => [...suppressions.without(workspaceId, network, ids)];
  switch (observation.kind) {
    case 'person':
      return erased(observation.person) ? [] : [observation];
    case 'friend-list':
      return erased(observation.person)
        ? []
        : [{ ...observation, friendIds: without(observation.friendIds) }];
    case 'subscription-list':
      if (erased(observation.person)) return [];
      return [
        observation.list === 'people' ? { ...observation, ids: without(observation.ids) } : observation,
      ];
    case 'post': {
      const { repostOf, ...post } = observation.post;
      if (erased(post.authorId) || (post.ownerKind === 'user' && erased(post.ownerId))) return [];
      return repostOf !== undefined && erased(wallOwnerOf(repostOf))
        ? [{ ...observation, post }]
        : [observation];
    }
    case 'member-page':
      return [{ ...observation, memberIds: without(observation.memberIds) }];
    case 'group':
    case 'members-closed':
      return [observation];
  }
}
