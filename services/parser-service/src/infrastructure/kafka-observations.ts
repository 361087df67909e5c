import { setImmediate as turn } from 'node:timers/promises';
import { friendListObserved, mergePositions, recordKey, userObserved } from '@sociograph/contracts';
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

/** Observations as events of the social topics, one per person and kind. */
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

export function eventOf(sighting: Sighting, observation: Observation): OutgoingEvent {
  const { workspaceId, network, importId, callId, keyId, observedAt, fence } = sighting;
  const { person } = observation;
  const key = recordKey(workspaceId, network, 'user', person);
  const head = {
    workspaceId,
    network,
    userId: person,
    observedAt: Math.round(observedAt),
    fence,
    source: { importId, callId, keyId },
  };
  if (observation.kind === 'person') {
    const { state, profile } = observation;
    return { message: userObserved, key, subject: key, value: { ...head, state, profile } };
  }
  const { friendIds, outcome, total } = observation;
  const tooLong = friendIds.length > LONGEST_LIST;
  const value = {
    ...head,
    outcome: tooLong ? ('partial' as const) : outcome,
    friendIds: tooLong ? friendIds.slice(0, LONGEST_LIST) : friendIds,
    ...(tooLong ? { total: friendIds.length } : total === undefined ? {} : { total }),
  };
  return { message: friendListObserved, key, subject: key, value };
}
