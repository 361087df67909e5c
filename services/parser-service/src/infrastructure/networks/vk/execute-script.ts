/** VK's own limits: calls in one `execute`, ids in one `users.get`, friends in one page. */
export const CALLS_PER_EXECUTE = 25;
export const IDS_PER_USERS_GET = 1_000;
export const FRIENDS_PER_PAGE = 5_000;
/** Pages of one long list: twice the 10,000 friends at which the site itself is said to stop. */
export const PAGES_OF_LONG_LIST = 4;

/**
 * Ids as data and one loop, so that an answer is matched by its position and the script is the same size
 * whatever the pack. A call that fails yields `false` there and an entry in `execute_errors`.
 */
export function friendsScript(ids: readonly string[]): string {
  return (
    `var ids = [${ids.join(',')}]; var out = []; var i = 0; ` +
    `while (i < ids.length) { out.push(API.friends.get({"user_id": ids[i], "count": ${FRIENDS_PER_PAGE}})); i = i + 1; } ` +
    'return out;'
  );
}

/**
 * All pages of one list in one call. The number of pages is fixed: a loop that asks for `count` would rely on
 * how VKScript treats a failed first page, and empty pages cost nothing of the per-second limit.
 */
export function longListScript(id: string): string {
  const offsets = Array.from({ length: PAGES_OF_LONG_LIST }, (_, page) => page * FRIENDS_PER_PAGE);
  return (
    `var offsets = [${offsets.join(',')}]; var out = []; var i = 0; ` +
    `while (i < offsets.length) { out.push(API.friends.get({"user_id": ${id}, "count": ${FRIENDS_PER_PAGE}, "offset": offsets[i]})); i = i + 1; } ` +
    'return out;'
  );
}
