import { compareStamps, type ObservationStamp } from '@sociograph/kernel';
import type { Lineage, ListObservation, ObservationFate } from './observation';

/** The newest list that says everything, or that the person is gone. */
export interface ListBase {
  kind: 'complete' | 'deleted';
  stamp: ObservationStamp;
  source: Lineage;
  ids: readonly string[];
}

/** An id that a partial list added after the base was seen. */
export interface Addition {
  stamp: ObservationStamp;
  source: Lineage;
}

/**
 * What a person asserts about the own friends: the newest complete observation, plus what newer partial ones
 * added. The state depends on the set of observations only, not on their order or number.
 */
export interface OwnList {
  base: ListBase | undefined;
  added: ReadonlyMap<string, Addition>;
}

export const NOTHING_KNOWN: OwnList = { base: undefined, added: new Map() };

/** True once something was asserted: then an empty list is knowledge, not ignorance. */
export function isKnown(list: OwnList): boolean {
  return list.base !== undefined || list.added.size > 0;
}

export function isComplete(list: OwnList): boolean {
  return list.base?.kind === 'complete';
}

/** The newest moment that any part of the list was seen. */
export function newestStamp(list: OwnList): ObservationStamp | undefined {
  let newest = list.base?.stamp;
  for (const { stamp } of list.added.values()) {
    if (newest === undefined || compareStamps(stamp, newest) > 0) newest = stamp;
  }
  return newest;
}

/** All ids asserted, each with the newest observation that vouches for it; additions are newer than the base. */
export function assertedBy(list: OwnList): Map<string, Addition> {
  const asserted = new Map<string, Addition>();
  const { base } = list;
  if (base) for (const id of base.ids) asserted.set(id, { stamp: base.stamp, source: base.source });
  for (const [id, addition] of list.added) asserted.set(id, addition);
  return asserted;
}

/** The list after one more observation; the very same object when nothing of it changed. */
export function observe(list: OwnList, seen: ListObservation): { list: OwnList; fate: ObservationFate } {
  switch (seen.kind) {
    case 'nothing':
      return { list, fate: 'nothing' };
    case 'complete':
    case 'deleted':
      return rebase(list, { kind: seen.kind, stamp: seen.stamp, source: seen.source, ids: seen.ids });
    case 'partial':
      return add(list, seen);
  }
}

/** Additions that the new base already covers end with it. */
function rebase(list: OwnList, base: ListBase): { list: OwnList; fate: ObservationFate } {
  if (list.base) {
    const order = compareStamps(base.stamp, list.base.stamp);
    if (order < 0) return { list, fate: 'late' };
    if (order === 0) return { list, fate: 'unchanged' };
  }
  const added = new Map([...list.added].filter(([, { stamp }]) => compareStamps(stamp, base.stamp) > 0));
  return { list: { base, added }, fate: sameBase(list.base, base) ? 'unchanged' : 'applied' };
}

function add(list: OwnList, seen: ListObservation): { list: OwnList; fate: ObservationFate } {
  if (list.base && compareStamps(seen.stamp, list.base.stamp) <= 0) return { list, fate: 'late' };
  const added = new Map(list.added);
  for (const id of seen.ids) {
    const known = added.get(id);
    if (known && compareStamps(known.stamp, seen.stamp) >= 0) continue;
    added.set(id, { stamp: seen.stamp, source: seen.source });
  }
  const changed = [...added].some(([id, addition]) => list.added.get(id) !== addition);
  return changed ? { list: { ...list, added }, fate: 'applied' } : { list, fate: 'unchanged' };
}

function sameBase(a: ListBase | undefined, b: ListBase): boolean {
  return (
    a !== undefined &&
    a.kind === b.kind &&
    a.ids.length === b.ids.length &&
    a.ids.every((id, i) => id === b.ids[i])
  );
}

/**
 * True when two states assert the same: only how freshly they were seen may differ. Such a difference costs no
 * write; partial additions count with their stamps, because a later complete list is weighed against them.
 */
export function assertsTheSame(a: OwnList, b: OwnList): boolean {
  if (a === b) return true;
  if (!b.base ? a.base !== undefined : !sameBase(a.base, b.base)) return false;
  if (a.added.size !== b.added.size) return false;
  return [...a.added].every(([id, { stamp }]) => {
    const other = b.added.get(id);
    return other !== undefined && compareStamps(other.stamp, stamp) === 0;
  });
}
