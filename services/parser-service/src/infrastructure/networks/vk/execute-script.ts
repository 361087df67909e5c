/** VK's own limits: calls in one `execute`, ids in one request, entries in one page. */
export const CALLS_PER_EXECUTE = 25;
export const IDS_PER_USERS_GET = 1_000;
/** VK's schema names no maximum; this is the commonly quoted one. */
export const IDS_PER_GROUPS_GET_BY_ID = 500;
export const FRIENDS_PER_PAGE = 5_000;
export const GROUPS_PER_PAGE = 1_000;
export const MEMBERS_PER_PAGE = 1_000;
export const POSTS_PER_PAGE = 100;
/** Pages of one long list: twice the 10,000 friends at which the site itself is said to stop. */
export const PAGES_OF_LONG_LIST = 4;
/** Pages of a person's groups: the site lets nobody be in more than 5,000. */
export const PAGES_OF_LONG_GROUPS = 5;

/**
 * One method for each of some subjects. Subjects as data and one loop, so that an answer is matched by its position
 * and the script is the same size whatever the pack. A call that fails yields `false` there and an entry in
 * `execute_errors`.
 */
export function eachScript(
  method: string,
  parameter: string,
  subjects: readonly string[],
  fixed: Readonly<Record<string, number>> = {},
): string {
  return script(
    method,
    [`var ids = [${subjects.join(',')}];`],
    [`"${parameter}": ids[i]`, ...fixedOf(fixed)],
  );
}

/** The same with an offset for each. */
export function pagesScript(
  method: string,
  parameter: string,
  pages: readonly { id: string; offset: number }[],
  fixed: Readonly<Record<string, number>>,
): string {
  const ids = `var ids = [${pages.map(({ id }) => id).join(',')}];`;
  const offsets = `var offsets = [${pages.map(({ offset }) => offset).join(',')}];`;
  const parameters = [`"${parameter}": ids[i]`, ...fixedOf(fixed), '"offset": offsets[i]'];
  return script(method, [ids, offsets], parameters);
}

/**
 * All pages of one list in one call. The number of pages is fixed: a loop that asks for `count` would rely on
 * how VKScript treats a failed first page, and empty pages cost nothing of the per-second limit.
 */
export function offsetsOf(pages: number, size: number): number[] {
  return Array.from({ length: pages }, (_, page) => page * size);
}

function fixedOf(fixed: Readonly<Record<string, number>>): string[] {
  return Object.entries(fixed).map(([name, value]) => `"${name}": ${value}`);
}

function script(method: string, variables: readonly string[], parameters: readonly string[]): string {
  return (
    `${variables.join(' ')} var out = []; var i = 0; ` +
    `while (i < ids.length) { out.push(API.${method}({${parameters.join(', ')}})); i = i + 1; } ` +
    'return out;'
  );
}
