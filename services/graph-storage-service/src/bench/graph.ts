import { connectArango, bulkWrite } from '@sociograph/arango';
import { comparePersonIds, friendshipKey } from '@sociograph/contracts';
import type { Lineage } from '../domain/observation';
import {
  toFriendship,
  toUser,
  type FriendshipDocument,
  type UserDocument,
} from '../infrastructure/arango-documents';

type Database = ReturnType<typeof connectArango>;

export const SCOPE = { workspaceId: 'bench', network: 'vk' };
const SOURCE: Lineage = {
  importId: '01930f0e-7b1c-7000-8000-000000000001',
  callId: '01930f0e-7b1c-7000-8000-000000000003',
  keyId: '01930f0e-7b1c-7000-8000-000000000009',
};
const SEEN = { observedAt: 1_795_000_000_000, fence: 1 };
/** People to a circle of acquaintances. */
const CIRCLE = 60;
const PER_WRITE = 5_000;

export interface BenchGraph {
  /** Friends of each person, by number. */
  friends: number[][];
  /** Both ends of each friendship, one after the other: drawing from it draws people by degree. */
  ends: Uint32Array;
}

/** A thirteenth as many people as friendships: six in ten within circles, the others to somebody drawn by degree, so that there are hubs. */
export function madeUp(friendships: number, random: () => number): BenchGraph {
  const people = Math.max(CIRCLE, Math.floor(friendships / 13));
  const pick = (count: number): number => Math.floor(random() * count);
  const ends = new Uint32Array(friendships * 2);
  const friends = Array.from({ length: people }, (): number[] => []);
  const seen = new Set<number>();
  for (let made = 0; made < friendships;) {
    const a = pick(people);
    const circle = a - (a % CIRCLE);
    const near = made === 0 || random() < 0.6;
    const b = near ? circle + pick(Math.min(CIRCLE, people - circle)) : (ends[pick(made * 2)] as number);
    const pair = Math.min(a, b) * people + Math.max(a, b);
    if (a === b || seen.has(pair)) continue;
    seen.add(pair);
    ends.set([a, b], made * 2);
    friends[a]?.push(b);
    friends[b]?.push(a);
    made += 1;
  }
  return { friends, ends };
}

export function idOf(person: number): string {
  return String(100_000 + person);
}

/** Straight into the store, as the service would have written it: both sides of each friendship, everybody's list. */
export async function load(db: Database, { friends, ends }: BenchGraph): Promise<void> {
  const edges = Array.from({ length: ends.length / 2 }, (_, i) => i);
  await inParts(edges, async (part) => {
    const inserts = part.map((i) => {
      const pair = [idOf(ends[2 * i] as number), idOf(ends[2 * i + 1] as number)].sort(comparePersonIds);
      const [lowId = '', highId = ''] = pair;
      const key = friendshipKey(SCOPE.workspaceId, SCOPE.network, lowId, highId);
      const side = { ...SEEN, ...SOURCE };
      return toFriendship({ key, lowId, highId, low: side, high: side, since: SEEN.observedAt });
    });
    await bulkWrite<FriendshipDocument>(db, 'friendships', { inserts });
  });
  await inParts([...friends.keys()], async (part) => {
    const inserts = part.map((person) =>
      toUser({
        ref: { ...SCOPE, id: idOf(person) },
        version: 1,
        changedAt: SEEN.observedAt,
        document: {
          content: {
            state: 'active',
            profile: { firstName: `Vera${person % 100}`, lastName: `Lind${person}` },
          },
          stamp: SEEN,
          source: SOURCE,
        },
        list: {
          base: { kind: 'complete', ids: listOf(friends, person), stamp: SEEN, source: SOURCE },
          added: new Map(),
        },
      }),
    );
    await bulkWrite<UserDocument>(db, 'users', { inserts });
  });
}

export function listOf(friends: BenchGraph['friends'], person: number): string[] {
  return (friends[person] ?? []).map(idOf).sort(comparePersonIds);
}

async function inParts<T>(items: readonly T[], write: (part: readonly T[]) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += PER_WRITE) await write(items.slice(at, at + PER_WRITE));
}
