import type { Owner } from './content/walls';
import type { World } from './content/world';

/** One person of every component, and the shift of the ids; `reachable`: what an import must start from. */
export function seedsOf(world: World, reachable: boolean): object {
  return { seeds: reachable ? world.reachableSeeds() : world.seeds(), shift: world.graph.shift };
}

/** What an import should find: how many, and who shows less than all. */
export function describedWorld(world: World): object {
  const { graph, groups } = world;
  const people = Array.from(graph.ids);
  return {
    people: graph.people,
    friendships: graph.friendshipCount,
    shift: graph.shift,
    seed: world.seed,
    ...world.restricted(),
    hiddenGroups: people.filter((_, index) => world.hidesGroups(index)),
    closedWalls: people.filter((id, index) => world.walls.isClosed({ id, index })),
    groups: groups.count,
    crowd: groups.crowd,
  };
}

/** All communities; or, with `members=ID`, everybody in one of them, whoever may see it. */
export function communities(world: World, query: URLSearchParams): object {
  const { groups } = world;
  const asked = query.get('members');
  if (asked === null) {
    const all = Array.from({ length: groups.count }, (_, number) => ({
      id: groups.id(number),
      screenName: groups.screenName(number),
      type: groups.type(number),
      access: groups.access(number),
      banned: groups.isBanned(number),
      hidesMembers: groups.hidesMembers(number),
      members: groups.members(number).length,
    }));
    return { groups: all };
  }
  const number = groups.find(Number(asked));
  if (number === -1) throw new Error('members must be the id of a community.');
  return { members: Array.from(groups.members(number), (index) => world.id(index)) };
}

/** Every post of a wall as `<owner>_<post>`, newest first, whoever may see it. */
export function wallOf(world: World, query: URLSearchParams): object {
  const owner = ownerNamed(world, query.get('owner'));
  const posts = world.walls.ranks(owner).map((rank) => ({
    post: `${owner.id}_${world.walls.postId(owner, rank)}`,
    date: world.walls.date(owner, rank),
  }));
  return { count: posts.length, posts };
}

/** Makes the world move at once: `wall=ID&posts=N`, `person=ID&friend=ID`, `person=ID&without=ID`. */
export function driftNow(world: World, query: URLSearchParams, now: number): object {
  const before = world.drift.events.length;
  if (query.has('wall')) {
    const owner = ownerNamed(world, query.get('wall'));
    const posts = Number(query.get('posts') ?? 1);
    if (!Number.isInteger(posts) || posts < 1 || posts > 10_000) throw new Error('posts must be 1 to 10000.');
    for (let post = 0; post < posts; post += 1) world.drift.post(owner.id, now);
  } else {
    const ends = query.has('without');
    const person = personNamed(world, query.get('person'));
    const other = personNamed(world, query.get(ends ? 'without' : 'friend'));
    if (ends) world.drift.part(person, other, now);
    else world.drift.befriend(person, other, now);
  }
  return { events: world.drift.events.slice(before) };
}

function ownerNamed(world: World, text: string | null): Owner {
  const id = Number(text ?? Number.NaN);
  const index = id > 0 ? world.find(id) : world.groups.find(-id);
  if (index === -1) throw new Error('No wall has this owner.');
  return { id, index };
}

function personNamed(world: World, text: string | null): number {
  const index = world.graph.indexOf(Number(text ?? Number.NaN));
  if (index === -1) throw new Error('person, friend and without must be ids of people of the graph.');
  return index;
}
