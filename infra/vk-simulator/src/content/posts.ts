import { pick, WORDS } from './names';
import { photoUrl } from './profile';
import type { Owner, Walls } from './walls';
import type { World } from './world';

export type Post = Record<string, unknown> & {
  id: number;
  owner_id: number;
  from_id: number;
  date: number;
  copy_history?: Post[];
  signer_id?: number;
};

/** A post of VK never shows a longer chain of reposts than this here. */
const LONGEST_CHAIN = 3;

/** A post as wall.get and wall.getById answer it; `depth` = how much of a chain of reposts is shown. */
export function postOf(world: World, owner: Owner, rank: number, depth = LONGEST_CHAIN): Post {
  const post = plainPost(world, owner, rank);
  if (world.walls.pinned(owner) === rank) post['is_pinned'] = 1;
  const chain: Post[] = [];
  for (
    let at = sourceOf(world, owner, rank);
    at !== undefined && chain.length < Math.min(depth, LONGEST_CHAIN);
  ) {
    chain.push(plainPost(world, at.owner, at.rank));
    at = sourceOf(world, at.owner, at.rank);
  }
  if (chain.length > 0) post.copy_history = chain;
  return post;
}

/** Who wrote it: the owner; on a person's wall sometimes a friend. */
export function authorOf(world: World, owner: Owner, rank: number): number {
  if (owner.id < 0 || world.walls.draw(owner, 'author', rank) % 7 > 0) return owner.id;
  const friends = world.friends(owner.index);
  if (friends.length === 0) return owner.id;
  return world.id(friends[world.walls.draw(owner, 'friend author', rank) % friends.length] as number);
}

function plainPost(world: World, owner: Owner, rank: number): Post {
  const { walls } = world;
  const draw = (purpose: string, below: number): number => walls.draw(owner, purpose, rank) % below;
  const likes = draw('likes', 300);
  const post: Post = {
    inner_type: 'wall_wallpost',
    id: walls.postId(owner, rank),
    owner_id: owner.id,
    from_id: authorOf(world, owner, rank),
    date: walls.date(owner, rank),
    text: textOf(walls, owner, rank),
    post_type: 'post',
    post_source: { type: 'vk' },
    marked_as_ads: 0,
    likes: { count: likes, user_likes: 0, can_like: 1, can_publish: 1 },
    reposts: { count: Math.floor(likes / 10), user_reposted: 0 },
    comments: { count: draw('comments', 40), can_post: 1, groups_can_post: true },
    views: { count: likes * 20 + draw('views', 50) },
    attachments: attachmentsOf(owner, draw('attachment', 1 << 30), walls.date(owner, rank)),
  };
  if (owner.id < 0 && draw('signer', 12) === 0) {
    const members = world.groups.members(owner.index);
    if (members.length > 0)
      post.signer_id = world.id(members[draw('which signer', members.length)] as number);
  }
  return post;
}

function attachmentsOf(owner: Owner, draw: number, date: number): object[] {
  if (draw % 5 === 0) {
    return [{ type: 'link', link: { url: `https://vk.invalid/l${draw}`, title: pick(WORDS, draw) } }];
  }
  if (draw % 5 > 2) return [];
  const sizes = [{ type: 'x', width: 604, height: 403, url: photoUrl('p', draw, 604) }];
  return [
    {
      type: 'photo',
      photo: { id: draw, album_id: -7, owner_id: owner.id, date, has_tags: false, text: '', sizes },
    },
  ];
}

/** What a post repeats: a post of a community or of a friend that is older than itself. */
function sourceOf(world: World, owner: Owner, rank: number): { owner: Owner; rank: number } | undefined {
  const { walls, groups } = world;
  const kind = walls.draw(owner, 'repost', rank) % 8;
  if (owner.id < 0 || kind > 1) return undefined;
  const draw = walls.draw(owner, 'repost of', rank);
  const source = kind === 0 ? aGroup(groups.of(owner.index)) : aFriend(world.friends(owner.index));
  if (source === undefined) return undefined;
  const count = walls.count(source);
  if (count === 0) return undefined;
  const date = walls.date(owner, rank);
  const older = [1 + (draw % Math.min(count, 50)), 1].find(
    (candidate) => walls.date(source, candidate) < date,
  );
  return older === undefined ? undefined : { owner: source, rank: older };

  function aGroup(numbers: number[]): Owner | undefined {
    if (numbers.length === 0) return undefined;
    const number = pick(numbers, draw);
    return groups.access(number) === 0 ? { id: -groups.id(number), index: number } : undefined;
  }

  function aFriend(friends: ArrayLike<number>): Owner | undefined {
    if (friends.length === 0) return undefined;
    const index = friends[draw % friends.length] as number;
    return world.visibility(index) === 'open' ? { id: world.id(index), index } : undefined;
  }
}

/** Words one after the other from a small generator: a hash for each would make long walls slow. */
function textOf(walls: Walls, owner: Owner, rank: number): string {
  let state = walls.draw(owner, 'text', rank);
  const length = state % (walls.options.postLength + 1);
  let text = '';
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += `${text === '' ? '' : ' '}${pick(WORDS, state >>> 16)}`;
  }
  return text.slice(0, length);
}
