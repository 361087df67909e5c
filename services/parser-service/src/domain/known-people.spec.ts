import { USUAL_SCOPE } from './import-scope';
import { kindsOf, KnownPeople, STORED_LATE_MS } from './known-people';

/** `a` and `b` were listed at these moments; only `b` shows the friendship. */
function aQuarrel({ deniedAt = 200, assertedAt = 100, complete = true } = {}): KnownPeople {
  const known = new KnownPeople();
  known.listed('b', ['a', 'c'], true, assertedAt);
  known.listed('a', ['c'], complete, deniedAt);
  known.listed('c', ['a', 'b'], true, 50);
  return known;
}

describe('a disputed friendship', () => {
  it('is one that the newer complete list of the other end lacks', () => {
    expect(aQuarrel().disputed()).toEqual(['b']);
    expect(aQuarrel({ deniedAt: 101 }).disputed()).toEqual(['b']);
    expect(aQuarrel({ deniedAt: 100 }).disputed()).toEqual([]);
    expect(aQuarrel({ complete: false }).disputed()).toEqual([]);
  });

  it('is none when both ends show it, or the other end was never listed', () => {
    const known = new KnownPeople();
    known.listed('a', ['b', 'x'], true, 1);
    known.listed('b', ['a'], true, 9);
    expect(known.disputed()).toEqual([]);
  });

  it('is settled by a later look at who asserts it, whatever that showed, but not by one that may be older', () => {
    const later = aQuarrel();
    later.looked('friends', 'b', 200 + STORED_LATE_MS);
    expect(later.disputed()).toEqual([]);
    const close = aQuarrel();
    close.looked('friends', 'b', 199 + STORED_LATE_MS);
    expect(close.disputed()).toEqual(['b']);
  });

  it('comes back when the list that lacks it was seen again, whole and unchanged', () => {
    const known = aQuarrel({ deniedAt: 90 });
    known.looked('friends', 'a', 300);
    expect(known.disputed()).toEqual([]);
    known.looked('friends', 'a', 300, true);
    expect(known.disputed()).toEqual(['b']);
  });

  it('goes with a list that replaces the old one, and with a person who is forgotten', () => {
    const known = aQuarrel();
    known.listed('b', ['c'], true, 300);
    expect(known.disputed()).toEqual([]);
    const gone = aQuarrel();
    gone.forget('a');
    expect(gone.disputed()).toEqual([]);
    const erased = aQuarrel();
    erased.forget('b');
    expect([
      erased.disputed(),
      erased.toRefresh(['friends'], 1_000).items.map(({ person }) => person),
    ]).toEqual([[], ['a', 'c']]);
  });
});

describe('what is fetched again', () => {
  it('was looked at last before the moment; disputed lists come first, whenever they were looked at', () => {
    const known = aQuarrel({ assertedAt: 150 });
    known.looked('profile', 'b', 99);
    known.looked('profile', 'a', 100);
    known.looked('profile', 'c', 60);
    known.looked('profile', 'c', 40);
    const { items, ...counts } = known.toRefresh(['profile', 'friends'], 100);
    expect(items).toEqual([
      { kind: 'friends', person: 'b', depth: 0 },
      { kind: 'profile', person: 'b', depth: 1 },
      { kind: 'profile', person: 'c', depth: 1 },
      { kind: 'friends', person: 'c', depth: 1 },
    ]);
    expect(counts).toEqual({ people: 2, lists: 2, disputed: 1 });
  });

  it('is a disputed list once, also where it is old', () => {
    const { items } = aQuarrel().toRefresh(['friends'], 1_000);
    expect(items.filter(({ person }) => person === 'b')).toEqual([
      { kind: 'friends', person: 'b', depth: 0 },
    ]);
    expect(items).toHaveLength(3);
  });

  it('is only what is asked for', () => {
    const known = aQuarrel();
    known.looked('wall', 'a', 1);
    known.looked('profile', 'a', 1);
    expect(known.toRefresh(['profile'], 100).items).toEqual([{ kind: 'profile', person: 'a', depth: 1 }]);
    expect(new KnownPeople().toRefresh(['profile', 'friends'], 100)).toEqual({
      ...{ items: [], people: 0, lists: 0, disputed: 0 },
    });
  });

  it('is about so many people at most: disputed ones, then those looked at longest ago', () => {
    const known = aQuarrel();
    for (const [person, at] of [
      ['young', 30],
      ['old', 10],
      ['b2', 20],
      ['a2', 20],
    ] as const)
      known.looked('profile', person, at);
    const people = (most: number): string[] =>
      known.toRefresh(['profile', 'friends'], 45, most).items.map(({ person }) => person);
    expect(people(0)).toEqual([]);
    expect(people(1)).toEqual(['b']);
    expect(new Set(people(2))).toEqual(new Set(['b', 'old']));
    expect(new Set(people(3))).toEqual(new Set(['b', 'old', 'a2']));
    expect(people(5)).toHaveLength(5);
  });
});

describe('kinds of items', () => {
  it('follow from what is included', () => {
    expect(kindsOf(USUAL_SCOPE)).toEqual(['profile', 'friends']);
    expect(kindsOf({ ...USUAL_SCOPE, include: ['profiles'] })).toEqual(['profile']);
    expect(kindsOf({ ...USUAL_SCOPE, include: ['members', 'walls'] })).toEqual([
      'profile',
      'wall',
      'group',
      'members',
    ]);
    for (const list of ['groups', 'subscriptions'] as const)
      expect(kindsOf({ ...USUAL_SCOPE, include: [list] })).toEqual(['profile', list, 'group']);
  });
});

/**
 * People whose friendships come and go, and somebody who looks at one after the other. The graph keeps each one's last
 * list; a friendship is disputed where one end shows it and the other end's later list lacks it.
 */
function aWorld(seed: number) {
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * limit);
  };
  const everybody = ['a', 'b', 'c', 'd', 'e', 'f'];
  const truth = new Set<string>();
  const lists = new Map<string, { friends: string[]; at: number }>();
  const known = new KnownPeople();
  const pair = (a: string, b: string): string => [a, b].sort().join(' ');
  const friendsOf = (a: string): string[] => everybody.filter((b) => b !== a && truth.has(pair(a, b)));
  let now = 1_000_000;
  const look = (person: string): void => {
    now += 1 + below(4_000);
    const friends = friendsOf(person);
    const before = lists.get(person);
    lists.set(person, { friends, at: now });
    // The log hears of what changed, the items of every look, some time later.
    if (before === undefined || before.friends.join() !== friends.join())
      known.listed(person, friends, true, now);
    known.looked('friends', person, now + below(STORED_LATE_MS), true);
  };
  const disputed = (): string[] =>
    everybody.filter((a) =>
      lists.get(a)?.friends.some((b) => {
        const theirs = lists.get(b);
        return theirs !== undefined && theirs.at > (lists.get(a)?.at ?? 0) && !theirs.friends.includes(a);
      }),
    );
  const live = (): void => {
    for (let step = 0; step < 40; step += 1) {
      const [a, b] = [everybody[below(6)] as string, everybody[below(6)] as string];
      if (a === b) look(a);
      else if (!truth.delete(pair(a, b))) truth.add(pair(a, b));
    }
  };
  return { live, known, disputed, look };
}

describe('in a world that changes', () => {
  it('no friendship is disputed after those in doubt were looked at again', () => {
    let everDisputed = 0;
    for (let seed = 1; seed <= 300; seed += 1) {
      const world = aWorld(seed);
      world.live();
      const before = world.disputed();
      everDisputed += before.length;
      const again = world.known.disputed();
      expect([seed, before.filter((person) => !again.includes(person))]).toEqual([seed, []]);
      // A look may bring others into doubt.
      let rounds = 0;
      for (let doubted = again; doubted.length > 0 && rounds < 20; rounds += 1) {
        for (const person of doubted) world.look(person);
        doubted = world.known.disputed();
      }
      expect([seed, world.disputed()]).toEqual([seed, []]);
    }
    expect(everDisputed).toBeGreaterThan(100);
  });
});
