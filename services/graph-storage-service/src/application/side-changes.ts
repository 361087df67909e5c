import { comparePersonIds, friendshipKey, vertexKey } from '@sociograph/contracts';
import {
  idOf,
  loneSide,
  otherSide,
  type Friendship,
  type Side,
  type SideAssertion,
  type SideChange,
} from '../domain/friendship';
import type { ListObservation, PersonRef } from '../domain/observation';
import { assertedBy, type Addition, type OwnList } from '../domain/own-list';

/** ArangoDB key of a person. */
export function personKey({ workspaceId, network, id }: PersonRef): string {
  return vertexKey(workspaceId, network, id);
}

/** Key of the person at one end: the friendship's key is workspace, network and both ids. */
export function endKey(friendship: Pick<Friendship, 'key' | 'lowId' | 'highId'>, side: Side): string {
  const [workspaceId = '', network = ''] = friendship.key.split('.');
  return vertexKey(workspaceId, network, idOf(friendship, side));
}

/** Key of the person on the side that does not assert the friendship; undefined when both do. */
export function unansweredBy(friendship: Friendship): string | undefined {
  const lone = loneSide(friendship);
  return lone && endKey(friendship, otherSide(lone));
}

/** The ids of an observed list as they are compared and stored: in order, each once, never the person itself. */
export function normalIds(self: string, ids: readonly string[]): string[] {
  return [...new Set(ids)].filter((id) => id !== self).sort(comparePersonIds);
}

/**
 * What a change of a person's own list asks of friendships. Ids of superseded lists of the same batch are taken
 * back too: a process that died between edges and person may have written them.
 */
export function sideChanges(
  ref: PersonRef,
  before: OwnList,
  after: OwnList,
  seen: readonly ListObservation[],
): SideChange[] {
  const was = assertedBy(before);
  const is = assertedBy(after);
  const changes: SideChange[] = [];
  for (const [id, vouched] of is) if (!was.has(id)) changes.push(sideChange(ref, id, vouched));
  const gone = new Set([...was.keys(), ...seen.flatMap(({ ids }) => ids)].filter((id) => !is.has(id)));
  const ending = after.base && { stamp: after.base.stamp, source: after.base.source };
  for (const id of gone) changes.push({ ...sideChange(ref, id, undefined), ended: ending && look(ending) });
  return changes;
}

function look({ source, stamp }: Addition): SideAssertion {
  return { ...source, ...stamp };
}

function sideChange(ref: PersonRef, id: string, vouched: Addition | undefined): SideChange {
  const isLow = comparePersonIds(ref.id, id) <= 0;
  return {
    key: friendshipKey(ref.workspaceId, ref.network, ref.id, id),
    lowId: isLow ? ref.id : id,
    highId: isLow ? id : ref.id,
    side: isLow ? 'low' : 'high',
    assertion: vouched && look(vouched),
  };
}
