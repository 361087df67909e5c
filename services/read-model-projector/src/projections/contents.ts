import { partitionOf, recordKey, vertexKey } from '@sociograph/contracts';
import { textInOrder } from './ordered-text';
import type { GroupDocument, GroupRow, PostDocument, PostRow, VertexChange } from './ports';
import { StateHash } from './state-hash';

/** Longest text of a post that is kept in memory, shown and searched, in UTF-16 units. */
export const MOST_TEXT = 2000;
/** Posts that a profile shows. */
export const LAST_POSTS = 5;

export type ContentKind = 'group' | 'post';

/** What is known of one group or post; nothing but the version where only that is known. */
export interface ContentState {
  kind: ContentKind;
  id: string;
  version: number;
  group?: GroupDocument;
  post?: PostDocument;
}

interface Entry extends ContentState {
  /** In the state's hash. */
  number: number;
}

/**
 * Groups and posts of one graph. They have no part in its figures: they are shown beside people, and searched. `wallChanged`
 * hears of every person whose newest posts are others, or say something else.
 */
export class Contents {
  readonly hash: StateHash;
  private readonly entries = new Map<string, Entry>();
  /** Posts by the person or group on whose wall they stand, newest first. */
  private readonly walls = new Map<string, Entry[]>();
  private readonly free: number[] = [];
  private numbers = 0;
  private touched = new Set<string>();

  constructor(
    private readonly workspaceId: string,
    private readonly network: string,
    private readonly partitionCount: number,
    private readonly wallChanged: (personId: string) => void = () => undefined,
  ) {
    this.hash = new StateHash(partitionCount);
  }

  /** False when the change is a duplicate or late. */
  apply({ kind, id, version, group, post }: VertexChange): boolean {
    if (kind === 'user') return false;
    const known = this.entries.get(nameOf(kind, id));
    if ((known?.version ?? 0) >= version) return false;
    this.put({
      kind,
      id,
      version,
      ...(kind === 'group' && group !== undefined && { group }),
      ...(kind === 'post' && post !== undefined && { post: shortened(post) }),
    });
    return true;
  }

  /** False when nobody knows it. */
  erase(kind: ContentKind, id: string): boolean {
    const name = nameOf(kind, id);
    const known = this.entries.get(name);
    if (known === undefined) return false;
    this.count(known, -1);
    this.takeOff(known);
    this.entries.delete(name);
    this.free.push(known.number);
    this.touched.add(name);
    return true;
  }

  /** Makes it what it says; also how a checkpoint is taken up. */
  put(state: ContentState): void {
    const name = nameOf(state.kind, state.id);
    const known = this.entries.get(name);
    const entry: Entry = { ...state, number: known?.number ?? this.introduce(state.kind, state.id) };
    if (known !== undefined) {
      this.count(known, -1);
      this.takeOff(known);
    }
    this.entries.set(name, entry);
    this.count(entry, 1);
    this.hang(entry);
    this.touched.add(name);
  }

  /** Ids of the newest posts on a person's wall. */
  lastPostsOf(personId: string): string[] {
    return (this.walls.get(`user:${personId}`) ?? []).slice(0, LAST_POSTS).map(({ id }) => id);
  }

  /** Everything as it stands now, in no order; changes after this call do not show. */
  snapshot(): ContentState[] {
    return [...this.entries.values()];
  }

  /** Names (`kind:id`) of everything there is. */
  names(): string[] {
    return [...this.entries.keys()];
  }

  get hasTouched(): boolean {
    return this.touched.size > 0;
  }

  isTouched(name: string): boolean {
    return this.touched.has(name);
  }

  touch(names: Iterable<string>): void {
    for (const name of names) this.touched.add(name);
  }

  /** Names of what changed since the last call, removed ones among them. */
  takeTouched(): string[] {
    const names = [...this.touched];
    this.touched = new Set();
    return names;
  }

  /** The row behind a name; undefined when it is gone, or nothing is known but that it exists. */
  row(name: string, writer: number, writtenAt: number): GroupRow | PostRow | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    const { workspaceId, network } = this;
    const { id, group, post } = entry;
    const key = vertexKey(workspaceId, network, id);
    if (group !== undefined) {
      const { state, profile, observedAt } = group;
      return { key, workspaceId, network, id, state, profile, observedAt, writer, writtenAt };
    }
    if (post === undefined) return undefined;
    const { content, observedAt } = post;
    return { key, workspaceId, network, id, content, observedAt, writer, writtenAt };
  }

  private introduce(kind: ContentKind, id: string): number {
    const number = this.free.pop() ?? this.numbers++;
    const key = recordKey(this.workspaceId, this.network, kind, id);
    this.hash.introduce(number, key, partitionOf(key, this.partitionCount));
    return number;
  }

  private count(entry: Entry, by: 1 | -1): void {
    const text = contentText(entry);
    if (text !== undefined) this.hash.document(entry.number, text, by);
  }

  private hang(entry: Entry): void {
    if (entry.post === undefined) return;
    const wall = wallOf(entry.post);
    const posts = this.walls.get(wall) ?? [];
    let [low, high] = [0, posts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (newerFirst(posts[middle]!, entry) < 0) low = middle + 1;
      else high = middle;
    }
    posts.splice(low, 0, entry);
    this.walls.set(wall, posts);
    this.tell(entry.post, low);
  }

  private takeOff(entry: Entry): void {
    if (entry.post === undefined) return;
    const wall = wallOf(entry.post);
    const posts = this.walls.get(wall)!;
    const at = posts.indexOf(entry);
    posts.splice(at, 1);
    if (posts.length === 0) this.walls.delete(wall);
    this.tell(entry.post, at);
  }

  private tell({ content }: PostDocument, place: number): void {
    if (content.ownerKind === 'user' && place < LAST_POSTS) this.wallChanged(content.ownerId);
  }
}

/** What a group or post counts as in the state's hash; undefined for one of which nothing is known. */
export function contentText({ group, post }: Pick<ContentState, 'group' | 'post'>): string | undefined {
  if (group !== undefined) return JSON.stringify([group.state, textInOrder(group.profile)]);
  return post === undefined ? undefined : textInOrder(post.content);
}

export function nameOf(kind: ContentKind, id: string): string {
  return `${kind}:${id}`;
}

/** Newest first; the higher id first among those of one moment. */
function newerFirst(a: Entry, b: Entry): number {
  const [later, earlier] = [b.post!.content.publishedAt, a.post!.content.publishedAt];
  return later - earlier || b.id.length - a.id.length || (a.id > b.id ? -1 : a.id < b.id ? 1 : 0);
}

function wallOf({ content }: PostDocument): string {
  return `${content.ownerKind}:${content.ownerId}`;
}

function shortened(post: PostDocument): PostDocument {
  const { content } = post;
  if (content.text.length <= MOST_TEXT) return post;
  const last = content.text.charCodeAt(MOST_TEXT - 1);
  // Not in the middle of a pair of surrogates.
  const end = last >= 0xd800 && last <= 0xdbff ? MOST_TEXT - 1 : MOST_TEXT;
  return { ...post, content: { ...content, text: content.text.slice(0, end) } };
}
