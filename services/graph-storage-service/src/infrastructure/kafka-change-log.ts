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
import type { SubscriptionList } from '../domain/subscription';
import type { Vertex } from '../domain/vertex';
import type { TracesOfChanges } from '../traces-of-changes';

type VertexChange = PayloadOf<typeof vertexChanged>;

/** graph.changes: whole state of a vertex; the last record of a batch bears the positions of its input. */
export class KafkaChangeLog extends ChangeLog {
  constructor(
    private readonly publisher: Pick<EventPublisher, 'publish'>,
    /** Without them every change belongs to the trace of the work at hand. */
    private readonly traces?: Pick<TracesOfChanges, 'of' | 'any'>,
  ) {
    super();
  }

  async publish(
    changes: readonly Person[],
    partition: number,
    source: SourcePositions,
    vertices: readonly Vertex[] = [],
  ): Promise<void> {
    const events: OutgoingEvent[] = [...changes.map(vertexOf), ...vertices.map(otherVertexOf)].map(
      (value) => {
        const key = recordKey(value.workspaceId, value.network, value.kind, value.id);
        return { message: vertexChanged, key, value, partition, ...inTrace(this.traces?.of(partition, key)) };
      },
    );
    if (events.length === 0)
      events.push({
        message: inputMarked,
        key: markerKey(partition),
        value: { partition },
        partition,
        ...inTrace(this.traces?.any(partition)),
      });
    const last = events.at(-1);
    if (last) last.headers = { ...last.headers, [EVENT_HEADERS.inputPositions]: JSON.stringify(source) };
    await this.publisher.publish(events);
  }
}

function inTrace(traceparent: string | undefined): Pick<OutgoingEvent, 'headers'> {
  return traceparent === undefined ? {} : { headers: { [EVENT_HEADERS.traceparent]: traceparent } };
}

/** Ids of all lists of one record: of the longest ids that networks have, so many fill about 350 KB of 512. */
const IDS_PER_RECORD = 25_000;

export function vertexOf({ ref, version, changedAt, document, list, subscriptions }: Person): VertexChange {
  let room = IDS_PER_RECORD - (list.base?.ids.length ?? 0) - list.added.size;
  /** Subscriptions that would make the record too large are left out; the list then says that it is not all. */
  const fitting = (own: OwnList): NonNullable<VertexChange['friends']> => {
    const whole = friendsOf(own);
    const ids = whole.ids.slice(0, Math.max(0, room));
    room -= ids.length;
    return { ...whole, ids, complete: whole.complete && ids.length === whole.ids.length };
  };
  const lists = Object.fromEntries(
    (Object.entries(NAME_OF) as [SubscriptionList, string][]).flatMap(([name, attribute]) => {
      const own = subscriptions?.[name];
      return own && isKnown(own) ? [[attribute, fitting(own)]] : [];
    }),
  );
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
    ...lists,
  };
}

/** How the contract calls the lists of subscriptions. */
const NAME_OF = { groups: 'groups', pages: 'pages', people: 'follows' } as const satisfies Record<
  SubscriptionList,
  keyof VertexChange
>;

export function otherVertexOf({ kind, ref, version, changedAt, document }: Vertex): VertexChange {
  const head = { ...ref, kind, version, changedAt };
  if (!document) return head;
  if (kind === 'post') {
    const content = document.content as NonNullable<VertexChange['post']>['content'];
    return { ...head, post: { content, ...document.stamp } };
  }
  const { state, profile } = document.content as Pick<
    NonNullable<VertexChange['group']>,
    'state' | 'profile'
  >;
  return { ...head, group: { state, profile, ...document.stamp } };
}

function friendsOf(list: OwnList): NonNullable<VertexChange['friends']> {
  // One base and no additions is the rule: then the ids are in order already.
  const ids =
    list.added.size === 0 ? [...(list.base?.ids ?? [])] : [...assertedBy(list).keys()].sort(comparePersonIds);
  const stamp = newestStamp(list) ?? { observedAt: 0, fence: 0 };
  return { ids, complete: isComplete(list), observedAt: stamp.observedAt, fence: stamp.fence };
}
