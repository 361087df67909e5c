import type { VertexChange } from './ports';
import { Contents, LAST_POSTS, MOST_TEXT } from './contents';
import { hashesOf } from './state-hash';

const stamp = { observedAt: 5, fence: 1 };
const at = (kind: 'group' | 'post', id: string, version: number): VertexChange => ({
  workspaceId: 'demo',
  network: 'vk',
  kind,
  id,
  version,
  changedAt: 1,
});
const post = (
  id: string,
  publishedAt: number,
  version = 1,
  text = 'First snow',
  ownerId = '7',
): VertexChange => ({
  ...at('post', id, version),
  post: { content: { ownerKind: 'user', ownerId, publishedAt, text }, ...stamp },
});
const group = (id: string, name: string, version = 1): VertexChange => ({
  ...at('group', id, version),
  group: { state: 'active', profile: { name }, ...stamp },
});

describe('Contents', () => {
  const setUp = (): { contents: Contents; walls: string[]; hash: () => string } => {
    const walls: string[] = [];
    const contents = new Contents('demo', 'vk', 6, (id) => void walls.push(id));
    return { contents, walls, hash: () => hashesOf([contents.hash], 6).join() };
  };

  it('gives rows of groups and posts, and none of what is only known to be', () => {
    const { contents } = setUp();
    contents.apply(group('1', 'Chess'));
    contents.apply(post('7_1', 100));
    contents.apply(at('group', '2', 1));
    const row = { workspaceId: 'demo', network: 'vk', observedAt: 5, writer: 3, writtenAt: 4 };
    expect(contents.row('group:1', 3, 4)).toEqual({
      ...row,
      key: 'demo.vk.1',
      id: '1',
      state: 'active',
      profile: { name: 'Chess' },
    });
    expect(contents.row('post:7_1', 3, 4)).toEqual({
      ...row,
      key: 'demo.vk.7_1',
      id: '7_1',
      content: { ownerKind: 'user', ownerId: '7', publishedAt: 100, text: 'First snow' },
    });
    expect([contents.row('group:2', 3, 4), contents.row('post:9_9', 3, 4)]).toEqual([undefined, undefined]);
    expect(contents.takeTouched()).toEqual(['group:1', 'post:7_1', 'group:2']);
    expect(contents.hasTouched).toBe(false);
  });

  it('takes no change twice and none that is late, and none of a person', () => {
    const { contents, hash } = setUp();
    expect(contents.apply(group('1', 'Chess', 2))).toBe(true);
    const before = hash();
    expect([contents.apply(group('1', 'Go', 2)), contents.apply(group('1', 'Go', 1))]).toEqual([
      false,
      false,
    ]);
    expect(contents.apply({ ...group('1', 'Go', 3), kind: 'user' })).toBe(false);
    expect(hash()).toBe(before);
    expect(contents.apply(group('1', 'Go', 3))).toBe(true);
    expect(hash()).not.toBe(before);
  });

  it('keeps the newest five posts of a wall, the higher id first among those of one moment', () => {
    const { contents, walls } = setUp();
    for (const [id, moment] of [
      ['7_3', 30],
      ['7_1', 10],
      ['7_9', 20],
      ['7_10', 20],
      ['7_5', 50],
      ['7_4', 40],
    ] as const)
      contents.apply(post(id, moment));
    expect(contents.lastPostsOf('7')).toEqual(['7_5', '7_4', '7_3', '7_10', '7_9']);
    expect(LAST_POSTS).toBe(5);
    walls.length = 0;
    contents.apply(post('7_0', 1));
    expect(walls).toEqual([]);
    contents.apply(post('7_1', 60, 2));
    expect(walls).toEqual(['7']);
    expect(contents.lastPostsOf('7')[0]).toBe('7_1');
    expect(contents.lastPostsOf('8')).toEqual([]);
  });

  it('moves a post to another wall, and tells both', () => {
    const { contents, walls } = setUp();
    contents.apply(post('7_1', 10));
    contents.apply(post('7_1', 10, 2, 'First snow', '8'));
    expect(walls).toEqual(['7', '7', '8']);
    expect([contents.lastPostsOf('7'), contents.lastPostsOf('8')]).toEqual([[], ['7_1']]);
  });

  it('is what it was before something that is erased again', () => {
    const { contents, walls, hash } = setUp();
    contents.apply(group('1', 'Chess'));
    const before = hash();
    contents.apply(post('7_1', 10));
    walls.length = 0;
    contents.takeTouched();
    expect(contents.erase('post', '7_1')).toBe(true);
    expect([walls, contents.takeTouched(), contents.lastPostsOf('7'), contents.names()]).toEqual([
      ['7'],
      ['post:7_1'],
      [],
      ['group:1'],
    ]);
    expect(contents.erase('post', '7_1')).toBe(false);
    expect(hash()).toBe(before);
    contents.apply(group('2', 'Go'));
    contents.erase('group', '2');
    expect(hash()).toBe(before);
  });

  it('hashes to the same whatever the order, and from what a snapshot holds', () => {
    const [one, other, third] = [setUp(), setUp(), setUp()];
    const changes = [group('1', 'Chess'), group('2', 'Go'), post('7_1', 10), post('7_2', 10)];
    for (const change of changes) one.contents.apply(change);
    for (const change of [...changes].reverse()) other.contents.apply(change);
    for (const state of one.contents.snapshot()) third.contents.put(state);
    expect([other.hash(), third.hash()]).toEqual([one.hash(), one.hash()]);
    expect(third.contents.lastPostsOf('7')).toEqual(['7_2', '7_1']);
  });

  it('keeps two thousand characters of a text, and no half of one', () => {
    const { contents } = setUp();
    const textOf = (text: string): string => {
      const id = `7_${contents.names().length}`;
      contents.apply(post(id, 1, 1, text));
      return (contents.row(`post:${id}`, 0, 0) as { content: { text: string } }).content.text;
    };
    expect([textOf('a'.repeat(MOST_TEXT)).length, textOf('a'.repeat(MOST_TEXT + 1)).length]).toEqual([
      2000, 2000,
    ]);
    expect(textOf(`${'a'.repeat(1999)}🙂b`)).toBe('a'.repeat(1999));
    expect(textOf(`${'a'.repeat(1998)}🙂bc`)).toBe(`${'a'.repeat(1998)}🙂`);
  });
});
