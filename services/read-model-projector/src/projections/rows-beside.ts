import { recordKey, vertexKey } from '@sociograph/contracts';
import type { GraphView, TouchedRows } from './graph-view';
import type { GroupRow, PostRow, RowsBeside, SearchRow } from './ports';
import { searchable, tokensOf, wordsOf } from './search-text';

type Kind = 'groups' | 'posts' | 'search';

/** Rows of one kind to write, and keys of those to remove. */
export type RowBatch = {
  [K in Kind]: { kind: K; written: RowsBeside[K][]; removed: string[] };
}[Kind];

/** Rows of groups and posts that changed, and of what people and posts are found by. */
export function* rowsBeside(
  taken: readonly { view: GraphView; touched: TouchedRows }[],
  chunk: number,
  writer: number,
  writtenAt: number,
): Generator<RowBatch> {
  for (const { view, touched } of taken) {
    for (let from = 0; from < touched.contents.length; from += chunk) {
      const groups = { kind: 'groups' as const, written: [] as GroupRow[], removed: [] as string[] };
      const posts = { kind: 'posts' as const, written: [] as PostRow[], removed: [] as string[] };
      const search = { kind: 'search' as const, written: [] as SearchRow[], removed: [] as string[] };
      for (const name of touched.contents.slice(from, from + chunk)) {
        const row = view.contents.row(name, writer, writtenAt);
        const id = name.slice(name.indexOf(':') + 1);
        const key = vertexKey(view.workspaceId, view.network, id);
        if (name.startsWith('group:')) {
          if (row === undefined) groups.removed.push(key);
          else groups.written.push(row as GroupRow);
        } else if (row === undefined) {
          posts.removed.push(key);
          search.removed.push(searchKey(view, 'post', id));
        } else {
          posts.written.push(row as PostRow);
          search.written.push(postSearchRow(view, row as PostRow));
        }
      }
      for (const batch of [groups, posts, search])
        if (batch.written.length + batch.removed.length > 0) yield batch;
    }
    for (let from = 0; from < touched.found.length; from += chunk) {
      const batch = { kind: 'search' as const, written: [] as SearchRow[], removed: [] as string[] };
      for (const person of touched.found.slice(from, from + chunk)) {
        const row = personSearchRow(view, person, writer, writtenAt);
        if (typeof row === 'string') batch.removed.push(row);
        else batch.written.push(row);
      }
      yield batch;
    }
  }
}

/** What a person is found by: first, last and screen name. Only its key when the person is gone. */
export function personSearchRow(
  view: GraphView,
  person: number,
  writer: number,
  writtenAt: number,
): SearchRow | string {
  const id = view.graph.nameOf(person);
  const key = searchKey(view, 'user', id);
  const profile = view.documentOf(person)?.profile;
  if (profile === undefined) return key;
  const { firstName, lastName, screenName = '' } = profile;
  const words = wordsOf(`${firstName} ${lastName} ${screenName}`);
  return { key, kind: 'user', id, at: 0, ...foundBy(view, words), writer, writtenAt };
}

export function postSearchRow(view: GraphView, { id, content, writer, writtenAt }: PostRow): SearchRow {
  const key = searchKey(view, 'post', id);
  const words = wordsOf(content.text);
  return { key, kind: 'post', id, at: content.publishedAt, ...foundBy(view, words), writer, writtenAt };
}

function foundBy(view: GraphView, words: string[]): Pick<SearchRow, 'graph' | 'text' | 'tokens'> {
  return { graph: view.key, text: searchable(words), tokens: tokensOf(view.key, words) };
}

export function searchKey({ workspaceId, network }: GraphView, kind: SearchRow['kind'], id: string): string {
  return recordKey(workspaceId, network, kind, id).replaceAll(':', '.');
}
