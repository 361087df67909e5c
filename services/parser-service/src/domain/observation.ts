import type { PersonProfile } from './items';

/** Topic -> partition -> next offset; the shape that the platform's contracts give positions. */
export type LogPositions = Record<string, Record<string, number>>;

/** Who saw something, when, and in which call. `observedAt` is on the pool's clock, ties go to the higher fence. */
export interface Sighting {
  readonly workspaceId: string;
  readonly network: string;
  readonly importId: string;
  readonly callId: string;
  readonly keyId: string;
  readonly observedAt: number;
  readonly fence: number;
}

export type Observation =
  | { kind: 'person'; person: string; state: 'active' | 'deleted' | 'banned'; profile: PersonProfile }
  | {
      kind: 'friend-list';
      person: string;
      outcome: 'complete' | 'partial' | 'private' | 'hidden' | 'deleted';
      friendIds: string[];
      /** What the network claims, where that is not the number of ids. */
      total?: number;
    }
  | {
      kind: 'subscription-list';
      person: string;
      list: 'groups' | 'pages' | 'people';
      outcome: 'complete' | 'partial' | 'private' | 'hidden' | 'deleted';
      ids: string[];
      total?: number;
    }
  | { kind: 'group'; groupId: string; state: 'active' | 'deleted' | 'banned'; profile: GroupProfile }
  | { kind: 'post'; postId: string; post: Post }
  | { kind: 'member-page'; groupId: string; listId: string; part: number; memberIds: string[] }
  /** Ends one walk through the members; only after it may somebody be missed in the pages. */
  | {
      kind: 'members-closed';
      groupId: string;
      listId: string;
      parts: number;
      count: number;
      complete: boolean;
    };

export interface GroupProfile {
  name: string;
  screenName?: string;
  kind?: 'group' | 'page' | 'event';
  closed?: 'open' | 'closed' | 'private';
  membersCount?: number;
}

/** Ids without signs: `ownerKind` says whose wall it is. The author is given where it is a person. */
export interface Post {
  ownerKind: 'user' | 'group';
  ownerId: string;
  authorId?: string;
  publishedAt: number;
  text: string;
  likes?: number;
  reposts?: number;
  comments?: number;
  views?: number;
  repostOf?: string;
}
