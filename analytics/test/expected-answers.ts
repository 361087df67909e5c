/** Friends of each person; every friendship stands in both lists. */
export type FriendLists = ReadonlyMap<string, readonly string[]>;

const HINT_LIMIT = 100;
const SCOPE = 'demo vk';

/** The first question by hand. */
export function trustOf(lists: FriendLists): string {
  const friendships = [...lists.values()].reduce((sum, friends) => sum + friends.length, 0) / 2;
  return `${SCOPE} ${friendships} ${friendships} 0 ${lists.size} 0`;
}

/** The second question by hand. */
export function paradoxOf(lists: FriendLists): string {
  const degreeOf = (id: string): number => lists.get(id)?.length ?? 0;
  const around = [...lists].map(([id, friends]) => ({
    degree: degreeOf(id),
    ofFriends: friends.reduce((sum, friend) => sum + degreeOf(friend), 0),
  }));
  const degrees = around.reduce((sum, { degree }) => sum + degree, 0);
  const ofFriends = around.reduce((sum, person) => sum + person.ofFriends, 0);
  const cut = (value: number): number => Math.floor(1000 * value) / 1000;
  return [
    SCOPE,
    around.length,
    Math.max(...around.map(({ degree }) => degree)),
    cut(degrees / around.length),
    cut(ofFriends / degrees),
    around.filter(({ degree, ofFriends: friends }) => friends > degree * degree).length,
  ].join(' ');
}

/** The third question by hand: pairs of friends of each person who is no hub. */
export function shouldMeet(lists: FriendLists): string[] {
  const inCommon = new Map<string, number>();
  for (const friends of lists.values()) {
    if (friends.length > HINT_LIMIT) continue;
    const sorted = [...friends].sort();
    sorted.forEach((low, index) => {
      for (const high of sorted.slice(index + 1)) {
        const pair = `${low} ${high}`;
        inCommon.set(pair, (inCommon.get(pair) ?? 0) + 1);
      }
    });
  }
  const friendSets = new Map([...lists].map(([id, friends]) => [id, new Set(friends)]));
  const textOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...inCommon]
    .map(([pair, count]) => ({ ids: pair.split(' ') as [string, string], count }))
    .filter(({ ids: [low, high], count }) => count >= 2 && friendSets.get(low)?.has(high) !== true)
    .sort((a, b) => b.count - a.count || textOrder(a.ids[0], b.ids[0]) || textOrder(a.ids[1], b.ids[1]))
    .slice(0, 10)
    .map(({ ids: [low, high], count }) => `${SCOPE} ${low} ${high} ${count}`);
}
