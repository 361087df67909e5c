import type { MemberPage, WalkEnd } from '../src/domain/member-list';
import type { Lineage, ListObservation, PersonObservation, PersonRef } from '../src/domain/observation';
import type { SeenPerson } from '../src/application/apply-observations';

export const IMPORT: Lineage = { importId: 'import-1', callId: 'call-1', keyId: 'key-1' };

export function ref(id: string, workspaceId = 'demo'): PersonRef {
  return { workspaceId, network: 'vk', id };
}

export function stamp(observedAt: number, fence = 1): { observedAt: number; fence: number } {
  return { observedAt, fence };
}

export function aList(
  at: number,
  ids: string[],
  kind: ListObservation['kind'] = 'complete',
): ListObservation {
  return { kind, ids, stamp: stamp(at), source: { ...IMPORT, callId: `call-${at}` } };
}

export function aDocument(at: number, name: string): PersonObservation {
  return {
    content: { state: 'active', profile: { firstName: name, lastName: 'X' } },
    stamp: stamp(at),
    source: IMPORT,
  };
}

export function seen(id: string, lists: ListObservation[], documents: PersonObservation[] = []): SeenPerson {
  return { ref: ref(id), seen: { lists, documents } };
}

export function aPage(listId: string, part: number, at: number, ids: string[]): MemberPage {
  return { listId, part, ids, stamp: stamp(at), source: { ...IMPORT, callId: `call-${at}` } };
}

export function anEnd(listId: string, parts: number, at: number): WalkEnd {
  return { listId, parts, stamp: stamp(at) };
}
