import { recordKey } from '@sociograph/contracts';
import type { FollowedSuppressions } from '@sociograph/suppression';
import type { ChangeRecord, VertexChange } from '../projections/ports';

type Known = Pick<FollowedSuppressions, 'suppressions' | 'dropped'>;

/**
 * The record as it may be applied. What the log still has of erased people, before it is compacted or after it was
 * restored, ends them like a tombstone, and their ids stand in nobody's lists. The positions stay.
 */
export function withoutErased(record: ChangeRecord, { suppressions, dropped }: Known): ChangeRecord {
  const { change, ...rest } = record;
  if (change === undefined || !suppressions.concerns(change.workspaceId, change.network)) return record;
  const { workspaceId, network, kind, id, friends, follows, post } = change;
  const erased = (person: string | undefined): boolean =>
    person !== undefined && suppressions.isSuppressed(workspaceId, network, person);
  const { ownerKind, ownerId, authorId } = post?.content ?? {};
  const own = kind === 'user' ? erased(id) : erased(authorId) || (ownerKind === 'user' && erased(ownerId));
  if (own) {
    dropped('change', 1);
    return { ...rest, erased: recordKey(workspaceId, network, kind, id) };
  }
  const without = (list: VertexChange['friends']): VertexChange['friends'] => {
    const ids = list && suppressions.without(workspaceId, network, list.ids);
    if (list === undefined || ids === undefined || ids === list.ids) return list;
    dropped('list-entry', list.ids.length - ids.length);
    return { ...list, ids: [...ids] };
  };
  const lighter = { friends: without(friends), follows: without(follows) };
  if (lighter.friends === friends && lighter.follows === follows) return record;
  return { ...rest, change: { ...change, ...lighter } };
}
