import { type Page, type Query, withQuery } from '@sociograph/api-client';
import type { Options } from './arguments';
import type { Call } from './command';

/** What every list takes. */
export const PAGE_OPTIONS = {
  all: { type: 'boolean', help: 'every page, one after the other' },
  limit: { type: 'string', value: 'N', help: 'items of a page, 1 to 200 (50)' },
  cursor: { type: 'string', value: 'CURSOR', help: 'the `next` of the page before' },
  wide: { type: 'boolean', help: 'every column, also those that are empty or for programs' },
} as const satisfies Options;

/**
 * Prints a list: one page of it, or with --all each page as it comes. As JSON: the page as the API answers it; with --all
 * one item a line.
 */
export async function printList(call: Call, path: string, query: Query = {}): Promise<void> {
  const { args, output } = call;
  const api = await call.api();
  const limit = args.whole('limit', 1, 200);
  let cursor = args.text('cursor');
  if (!args.flag('all')) {
    const page = await api.get<Page<unknown>>(withQuery(path, { ...query, limit, cursor }));
    if (output.json) return output.record(page);
    output.rows(page.items, args.flag('wide'));
    if (page.items.length === 0) output.note('Nothing.');
    if (page.next !== null) output.note(`There is more: --all, or --cursor ${page.next}`);
    return;
  }
  do {
    const page: Page<unknown> = await api.get(withQuery(path, { ...query, limit: limit ?? 200, cursor }));
    output.rows(page.items, args.flag('wide'));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}
