import { recordKey, vertexKey } from '@sociograph/contracts';
import type { GraphView, TouchedRows } from './graph-view';
import type { GroupRow, PostRow, RowsBeside, SearchRow } from './ports';
import { searchable, tokensOf, wordsOf } from './search-text';

type Kind = 'groups' | 'posts' | 'search';

/** Rows of one kind to write, and keys of those to remove. */
export type RowBatch = {
  [K in Kind]: { kind: K; written: RowsBeside[K][]; removed: string[] };
}[Kind];

/**
 * Tokens of one batch: each costs the store an entry of its index. A thousand people have about 12,000, a thousand long
 * posts a million, which would take the store many seconds in one request.
 */
export const MOST_TOKENS = 20_000;

/** Rows of groups and posts that changed, and of what people and posts are found by. */
export function* rowsBeside(
  taken: readonly { view: GraphView; touched: TouchedRows }[],
  chunk: number,
  writer: number,
  writtenAt: number,
): Generator<RowBatch> {
  const groups = new Pack('groups', chunk);
  const posts = new Pack('posts', chunk);
  const search = new Pack('search', chunk);
  for (const { view, touched } of taken) {
    for (const name of touched.contents) {
      const row = view.contents.row(name, writer, writtenAt);
      const id = name.slice(name.indexOf(':') + 1);
      const key = vertexKey(view.workspaceId, view.network, id);
      if (name.startsWith('group:')) yield* groups.put((row as GroupRow | undefined) ?? key);
      else {
        const post = row as PostRow | undefined;
        yield* posts.put(post ?? key);
        yield* found(search, post === undefined ? searchKey(view, 'post', id) : postSearchRow(view, post));
      }
    }
    for (const person of touched.found)
      yield* found(search, personSearchRow(view, person, writer, writtenAt));
  }
  for (const pack of [groups, posts, search]) yield* pack.rest();
}

function* found(search: Pack<'search'>, row: SearchRow | string): Generator<RowBatch> {
  const tokens = typeof row === 'string' ? 0 : row.tokens.length;
  if (search.weight + tokens > MOST_TOKENS) yield* search.rest();
  yield* search.put(row, tokens);
}

/** Gathers rows and keys of one kind until they make a batch. */
class Pack<K extends Kind> {
  weight = 0;
  private written: RowsBeside[K][] = [];
  private removed: string[] = [];

  constructor(
    private readonly kind: K,
    private readonly most: number,
  ) {}

  *put(
    row: RowsBeside[K] | string,
    weight = 0,
  ): Generator<{ kind: K; written: RowsBeside[K][]; removed: string[] }> {
    if (typeof row === 'string') this.removed.push(row);
    else this.written.push(row);
    this.weight += weight;
    if (this.written.length + this.removed.length >= this.most) yield* this.rest();
  }

  /** What is in it, unless that is nothing; it is empty afterwards. */
  *rest(): Generator<{ kind: K; written: RowsBeside[K][]; removed: string[] }> {
    const { kind, written, removed } = this;
    if (written.length + removed.length === 0) return;
    [this.written, this.removed, this.weight] = [[], [], 0];
    yield { kind, written, removed };
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
