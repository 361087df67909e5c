import { compareStamps, type ObservationStamp } from '@sociograph/kernel';
import type { Lineage, PersonRef } from './observation';
import type { Addition } from './own-list';

/** One page of a walk through the members of a group. */
export interface MemberPage {
  listId: string;
  part: number;
  ids: readonly string[];
  stamp: ObservationStamp;
  source: Lineage;
}

/** The end of a walk that saw every page: from it, and from it alone, absence is concluded. */
export interface WalkEnd {
  listId: string;
  parts: number;
  stamp: ObservationStamp;
}

/**
 * What walks through a group's members say. A walk counts from its earliest page, since somebody may have left or
 * come while it lasted: with its end and all its parts it supersedes every page that is older than that moment.
 * The state depends on the set of observations only, not on their order or number.
 */
export interface MemberList {
  ref: PersonRef;
  /** Pages older than this say nothing any more: begin of the newest whole walk, or the group's deletion. */
  floor: ObservationStamp | undefined;
  pages: readonly MemberPage[];
  ends: readonly WalkEnd[];
}

/** What a batch says of one group's members; `gone` are looks that found the group deleted. */
export interface SeenMembers {
  pages: readonly MemberPage[];
  ends: readonly WalkEnd[];
  gone: readonly ObservationStamp[];
}

export function noMembers(ref: PersonRef): MemberList {
  return { ref, floor: undefined, pages: [], ends: [] };
}

/** Everyone on a page that counts, each with the newest one that has them. */
export function membersOf({ pages }: MemberList): Map<string, Addition> {
  const members = new Map<string, Addition>();
  for (const { ids, stamp, source } of [...pages].sort((a, b) => compareStamps(a.stamp, b.stamp)))
    for (const id of ids) members.set(id, { stamp, source });
  return members;
}

/** The list after a batch of observations; the very same object when nothing of it changed. */
export function observeMembers(list: MemberList, seen: SeenMembers): MemberList {
  const ends = newestEnds([...list.ends, ...seen.ends]);
  const pages = distinctPages([...list.pages, ...seen.pages]);
  const begins = ends.flatMap((end) => beginOf(end, pages) ?? []);
  const floor = newest([...(list.floor ? [list.floor] : []), ...seen.gone, ...begins]);
  const counts = (stamp: ObservationStamp): boolean => !floor || compareStamps(stamp, floor) >= 0;
  const kept = pages.filter(({ stamp }) => counts(stamp));
  const walks = new Set(kept.map(({ listId }) => listId));
  const next = {
    ref: list.ref,
    floor,
    pages: eachOnce(kept),
    ends: ends.filter(({ listId, stamp }) => walks.has(listId) || counts(stamp)),
  };
  return sameList(list, next) ? list : next;
}

/** True when every page belongs to a walk that is whole: nothing is awaited. */
export function isSettled({ pages, ends }: MemberList): boolean {
  const whole = new Set(ends.filter((end) => beginOf(end, pages)).map(({ listId }) => listId));
  return pages.every(({ listId }) => whole.has(listId)) && ends.every(({ listId }) => whole.has(listId));
}

/** The earliest page of a walk that is whole; undefined while a part is missing. A part that was read again counts anew. */
function beginOf(end: WalkEnd, pages: readonly MemberPage[]): ObservationStamp | undefined {
  if (end.parts === 0) return end.stamp;
  const parts = new Map<number, ObservationStamp>();
  for (const { listId, part, stamp } of pages) {
    if (listId !== end.listId || part >= end.parts) continue;
    parts.set(
      part,
      newest([stamp, ...(parts.has(part) ? [parts.get(part) as ObservationStamp] : [])]) ?? stamp,
    );
  }
  return parts.size === end.parts ? [...parts.values()].sort(compareStamps)[0] : undefined;
}

function newestEnds(ends: readonly WalkEnd[]): WalkEnd[] {
  const known = new Map<string, WalkEnd>();
  for (const end of ends) {
    const other = known.get(end.listId);
    if (!other || compareStamps(end.stamp, other.stamp) > 0) known.set(end.listId, end);
  }
  return [...known.values()].sort((a, b) => compareStamps(a.stamp, b.stamp));
}

function distinctPages(pages: readonly MemberPage[]): MemberPage[] {
  const known = new Map<string, MemberPage>();
  for (const page of pages) {
    const name = pageName(page);
    if (!known.has(name)) known.set(name, page);
  }
  return [...known.values()];
}

/**
 * Every member only on the newest page that has them: walks that never end would else grow without bound. Nothing is
 * lost, because whatever supersedes a page supersedes the older ones; the pages stay, they tell which walks are whole.
 */
function eachOnce(pages: readonly MemberPage[]): MemberPage[] {
  const known = new Set<string>();
  const trimmed = new Map<MemberPage, MemberPage>();
  for (const page of [...pages].sort(newestFirst)) {
    const ids = page.ids.filter((id) => !known.has(id));
    for (const id of ids) known.add(id);
    trimmed.set(page, ids.length === page.ids.length ? page : { ...page, ids });
  }
  return pages.map((page) => trimmed.get(page) ?? page);
}

/** By name where the stamps are the same: pages of one call. */
function newestFirst(a: MemberPage, b: MemberPage): number {
  return compareStamps(b.stamp, a.stamp) || (pageName(a) < pageName(b) ? -1 : 1);
}

function pageName({ listId, part, stamp }: MemberPage): string {
  return JSON.stringify([listId, part, stamp.observedAt, stamp.fence]);
}

function newest(stamps: readonly ObservationStamp[]): ObservationStamp | undefined {
  return stamps.reduce<ObservationStamp | undefined>(
    (best, stamp) => (best && compareStamps(best, stamp) >= 0 ? best : stamp),
    undefined,
  );
}

function sameList(a: MemberList, b: MemberList): boolean {
  const stamps = (stamp: ObservationStamp | undefined): unknown => stamp && [stamp.observedAt, stamp.fence];
  const brief = ({ floor, pages, ends }: MemberList): string =>
    JSON.stringify([
      stamps(floor),
      pages.map(pageName).sort(),
      ends.map(({ listId, parts, stamp }) => JSON.stringify([listId, parts, stamps(stamp)])).sort(),
    ]);
  return brief(a) === brief(b);
}
