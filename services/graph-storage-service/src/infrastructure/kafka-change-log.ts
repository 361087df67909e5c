import {
  EVENT_HEADERS,
  inputMarked,
  markerKey,
  recordKey,
  vertexChanged,
  comparePersonIds,
  type PayloadOf,
} from '@sociograph/contracts';
import type { EventPublisher, OutgoingEvent } from '@sociograph/messaging';
import { assertedBy, isComplete, isKnown, newestStamp, type OwnList } from '../domain/own-list';
import type { Person } from '../domain/person';
import { ChangeLog, type SourcePositions } from '../domain/ports';

type VertexChange = PayloadOf<typeof vertexChanged>;

/** graph.changes: whole state of a vertex; the last record of a batch bears the positions of its input. */
export class KafkaChangeLog extends ChangeLog {
  constructor(private readonly publisher: Pick<EventPublisher, 'publish'>) {
    super();
  }

  async publish(changes: readonly Person[], partition: number, source: SourcePositions): Promise<void> {
    const events: OutgoingEvent[] = changes.map((person) => ({
      message: vertexChanged,
      key: recordKey(person.ref.workspaceId, person.ref.network, 'user', person.ref.id),
      value: vertexOf(person),
      partition,
    }));
    if (events.length === 0)
      events.push({ message: inputMarked, key: markerKey(partition), value: { partition }, partition });
    const last = events.at(-1);
    if (last) last.headers = { [EVENT_HEADERS.inputPositions]: JSON.stringify(source) };
    await this.publisher.publish(events);
  }
}

export function vertexOf({ ref, version, changedAt, document, list }: Person): VertexChange {
  const content = document?.content as
    Pick<NonNullable<VertexChange['document']>, 'state' | 'profile'> | undefined;
  return {
    ...ref,
    kind: 'user',
    version,
    changedAt,
    ...(document &&
      content && { document: { state: content.state, profile: content.profile, ...document.stamp } }),
    ...(isKnown(list) && { friends: friendsOf(list) }),
  };
}

function friendsOf(list: OwnList): NonNullable<VertexChange['friends']> {
  // One base and no additions is the rule: then the ids are in order already.
  const ids =
    list.added.size === 0 ? [...(list.base?.ids ?? [])] : [...assertedBy(list).keys()].sort(comparePersonIds);
  const stamp = newestStamp(list) ?? { observedAt: 0, fence: 0 };
  return { ids, complete: isComplete(list), observedAt: stamp.observedAt, fence: stamp.fence };
}
