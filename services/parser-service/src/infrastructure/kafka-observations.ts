import { setImmediate as turn } from 'node:timers/promises';
import {
  friendListObserved,
  groupObserved,
  membershipListClosed,
  membershipPageObserved,
  mergePositions,
  postObserved,
  recordKey,
  subscriptionListObserved,
  userObserved,
  type VertexKind,
} from '@sociograph/contracts';
import type { EventPublisher, OutgoingEvent } from '@sociograph/messaging';
import type { LogPositions, Observation, Sighting } from '../domain/observation';
import { ObservationLog } from '../domain/ports';

/** What the contract allows in one record; a longer list is published as one that only adds. */
const LONGEST_LIST = 20_000;

/**
 * So many events are prepared in one turn of the event loop: a thousand at once would block it for tens of
 * milliseconds, and leases that come in meanwhile would find their slot gone.
 */
const EVENTS_PER_TURN = 250;

/** Observations as events of the social topics, one for each. */
export class KafkaObservations extends ObservationLog {
  constructor(private readonly publisher: Pick<EventPublisher, 'publish'>) {
    super();
  }

  async publish(sighting: Sighting, observations: readonly Observation[]): Promise<LogPositions> {
    let positions: LogPositions = {};
    for (let from = 0; from < observations.length; from += EVENTS_PER_TURN) {
      if (from > 0) await turn();
      const events = observations.slice(from, from + EVENTS_PER_TURN);
      const reached = await this.publisher.publish(
        events.map((observation) => eventOf(sighting, observation)),
      );
      positions = mergePositions(positions, reached);
    }
    return positions;
  }
}

/** The event of one observation; its key is that of the vertex which it is about. */
export function eventOf(sighting: Sighting, observation: Observation): OutgoingEvent {
  const { workspaceId, network, importId, callId, keyId, observedAt, fence } = sighting;
  const head = {
    workspaceId,
    network,
    observedAt: Math.round(observedAt),
    fence,
    source: { importId, callId, keyId },
  };
  const about = (kind: VertexKind, id: string) => {
    const key = recordKey(workspaceId, network, kind, id);
    return { key, subject: key };
  };
  switch (observation.kind) {
    case 'person': {
      const { person: userId, state, profile } = observation;
      return { message: userObserved, ...about('user', userId), value: { ...head, userId, state, profile } };
    }
    case 'friend-list': {
      const { person: userId, friendIds, ...rest } = observation;
      const { ids, ...list } = fitting(friendIds, rest);
      const value = { ...head, userId, ...list, friendIds: ids };
      return { message: friendListObserved, ...about('user', userId), value };
    }
    case 'subscription-list': {
      const { person: userId, list: of, ids: given, ...rest } = observation;
      const value = { ...head, userId, list: of, ...fitting(given, rest) };
      return { message: subscriptionListObserved, ...about('user', userId), value };
    }
    case 'group': {
      const { groupId, state, profile } = observation;
      const value = { ...head, groupId, state, ...profile };
      return { message: groupObserved, ...about('group', groupId), value };
    }
    case 'post': {
      const { postId, post } = observation;
      return { message: postObserved, ...about('post', postId), value: { ...head, postId, ...post } };
    }
    case 'member-page': {
      const { groupId, listId, part, memberIds } = observation;
      const value = { ...head, groupId, listId, part, memberIds };
      return { message: membershipPageObserved, ...about('group', groupId), value };
    }
    case 'members-closed': {
      const { groupId, listId, parts, count, complete } = observation;
      const value = { ...head, groupId, listId, parts, count, complete };
      return { message: membershipListClosed, ...about('group', groupId), value };
    }
  }
}

interface Outcome {
  outcome: 'complete' | 'partial' | 'private' | 'hidden' | 'deleted';
  total?: number;
}

/** A list that does not fit a record goes as a part of it. */
function fitting(ids: string[], { outcome, total }: Outcome): Outcome & { ids: string[] } {
  if (ids.length > LONGEST_LIST) {
    return { outcome: 'partial', ids: ids.slice(0, LONGEST_LIST), total: ids.length };
  }
  return { outcome, ids, ...(total === undefined ? {} : { total }) };
}
