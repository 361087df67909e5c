import { comparePersonIds, friendshipKey, vertexKey } from '@sociograph/contracts';
import { compareStamps } from '@sociograph/kernel';
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
  const looks = firstLooksWithout(gone, was, seen);
  for (const id of gone) {
    const ending = looks.get(id) ?? after.base;
    changes.push({ ...sideChange(ref, id, undefined), ended: ending && look(ending) });
  }
  return changes;
}

/**
 * The look that ended each of these ids: of the batch the first that says everything and lacks it, unless a later
 * one has it. Looks that are older than what vouched for an id say nothing of its end.
 */
function firstLooksWithout(
  gone: ReadonlySet<string>,
  was: ReadonlyMap<string, Addition>,
  seen: readonly ListObservation[],
): Map<string, ListObservation> {
  const found = new Map<string, ListObservation>();
  const open = new Set(gone);
  const newestFirst = seen
    .filter(({ kind }) => kind !== 'nothing')
    .sort((a, b) => compareStamps(b.stamp, a.stamp));
  for (const seenThen of newestFirst) {
    if (open.size === 0) break;
    const has = new Set(seenThen.ids);
    for (const id of open) {
      const vouched = was.get(id);
      if (has.has(id) || (vouched && compareStamps(seenThen.stamp, vouched.stamp) <= 0)) open.delete(id);
      else if (seenThen.kind !== 'partial') found.set(id, seenThen);
    }
  }
  return found;
}

function look({ source, stamp }: Pick<Addition, 'source' | 'stamp'>): SideAssertion {
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
