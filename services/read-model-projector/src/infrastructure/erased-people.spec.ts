import { vertexChanged } from '@sociograph/contracts';
import { Secret } from '@sociograph/kernel';
import { markOf, Suppressions } from '@sociograph/suppression';
import type { ChangeRecord, VertexChange } from '../projections/ports';
import { withoutErased } from './erased-people';

const KEY = new Secret(Buffer.alloc(32, 3).toString('base64'));
const SOURCE = { topic: { '3': 9 } };

describe('withoutErased', () => {
  const suppressions = new Suppressions(KEY);
  const drops: [string, number][] = [];
  const known = { suppressions, dropped: (kind: string, count: number) => void drops.push([kind, count]) };
  suppressions.add({
    workspaceId: 'demo',
    network: 'vk',
    mark: markOf(KEY, 'demo', 'vk', '58'),
    erasureId: 'e-1',
    at: 1,
  });
  beforeEach(() => void drops.splice(0));

  const of = (change: Partial<VertexChange>): ChangeRecord => ({
    partition: 3,
    offset: 7,
    source: SOURCE,
    change: { ...(vertexChanged.example as VertexChange), ...change },
  });
  const list = (...ids: string[]) => ({ ids, complete: true, observedAt: 1, fence: 1 });

  it('ends an erased person where the log has them, and keeps the positions', () => {
    expect(withoutErased(of({ id: '58' }), known)).toEqual({
      partition: 3,
      offset: 7,
      source: SOURCE,
      erased: 'demo:vk:user:58',
    });
    expect(drops).toEqual([['change', 1]]);
  });

  it('takes the id out of friends and of the people followed', () => {
    const record = of({ friends: list('1', '58', '1684'), follows: list('58'), groups: list('58') });
    expect(withoutErased(record, known).change).toMatchObject({
      friends: list('1', '1684'),
      follows: list(),
      groups: list('58'),
    });
    expect(drops).toEqual([
      ['list-entry', 1],
      ['list-entry', 1],
    ]);
  });

  it('ends posts on their wall and by their hand', () => {
    const post = (content: object) =>
      of({ kind: 'post', id: '9', post: { content, observedAt: 1, fence: 1 } } as never);
    const base = { publishedAt: 1, text: 'First snow' };
    const fate = (content: object) => withoutErased(post({ ...base, ...content }), known).erased;
    expect(fate({ ownerKind: 'user', ownerId: '58' })).toBe('demo:vk:post:9');
    expect(fate({ ownerKind: 'group', ownerId: '58' })).toBeUndefined();
    expect(fate({ ownerKind: 'group', ownerId: '1', authorId: '58' })).toBe('demo:vk:post:9');
    expect(fate({ ownerKind: 'user', ownerId: '57', authorId: '57' })).toBeUndefined();
  });

  it('passes everything else on as it is', () => {
    for (const record of [
      of({ friends: list('1') }),
      of({ workspaceId: 'other', id: '58' }),
      of({ kind: 'group', id: '58', friends: list('1') }),
      { partition: 3, offset: 7, source: SOURCE },
      { partition: 3, offset: 7, erased: 'demo:vk:user:58' },
    ])
      expect(withoutErased(record, known)).toBe(record);
    expect(drops).toEqual([]);
  });
});
