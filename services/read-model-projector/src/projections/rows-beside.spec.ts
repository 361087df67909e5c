import { MOST_TOKENS, type RowBatch } from './rows-beside';
import type { VertexChange } from './ports';
import { Views } from './views';

describe('rows beside people', () => {
  const at = { workspaceId: 'demo', network: 'vk', version: 1, changedAt: 1 };
  const seen = { observedAt: 1, fence: 1 };
  const post = (id: string, text: string): VertexChange => ({
    ...at,
    kind: 'post',
    id,
    post: { content: { ownerKind: 'user', ownerId: '1', publishedAt: 5, text }, ...seen },
  });
  const group = (id: string): VertexChange => ({
    ...at,
    kind: 'group',
    id,
    group: { state: 'active', profile: { name: 'Chess' }, ...seen },
  });
  const batches = (views: Views, chunk: number): RowBatch[] => [...views.takePending(1)!.beside(chunk)];
  const sizesOf = (kind: RowBatch['kind'], all: readonly RowBatch[]): [written: number, removed: number][] =>
    all
      .filter((batch) => batch.kind === kind)
      .map(({ written, removed }) => [written.length, removed.length]);

  it('come by kind, in batches of the size asked for', () => {
    const views = new Views(1);
    for (const id of ['1', '2', '3']) views.apply(group(id));
    for (const id of ['1_1', '1_2']) views.apply(post(id, 'First snow'));
    const all = batches(views, 2);
    expect(sizesOf('groups', all)).toEqual([
      [2, 0],
      [1, 0],
    ]);
    expect(sizesOf('posts', all)).toEqual([[2, 0]]);
    expect(sizesOf('search', all)).toEqual([[2, 0]]);
    views.erase('demo:vk:post:1_1');
    views.erase('demo:vk:group:2');
    const after = batches(views, 2);
    expect(after).toEqual([
      { kind: 'groups', written: [], removed: ['demo.vk.2'] },
      { kind: 'posts', written: [], removed: ['demo.vk.1_1'] },
      { kind: 'search', written: [], removed: ['demo.vk.post.1_1'] },
    ]);
  });

  it('have so few tokens in a batch that the store is done with it soon, however long the posts are', () => {
    const views = new Views(1);
    // Each word has seven beginnings of two to eight letters, of which the next one shares the first.
    const long = (seed: number): string =>
      Array.from({ length: 150 }, (_, word) =>
        ((word + 1) * 7919 * (seed + 1)).toString(36).padEnd(9, 'xyz'),
      ).join(' ');
    for (let id = 0; id < 60; id++) views.apply(post(`1_${id}`, long(id)));
    const found = batches(views, 1000).flatMap((batch) => (batch.kind === 'search' ? [batch.written] : []));
    const tokens = found.map((rows) => rows.reduce((sum, row) => sum + row.tokens.length, 0));
    expect(tokens.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(2 * MOST_TOKENS);
    expect(Math.max(...tokens)).toBeLessThanOrEqual(MOST_TOKENS);
    expect(Math.max(...tokens)).toBeGreaterThan(MOST_TOKENS / 2);
    expect(new Set(found.flat().map(({ key }) => key)).size).toBe(60);
  });
});
