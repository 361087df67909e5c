import { CITIES, FEMALE, LAST, MALE, type Name, pick, WORDS } from './names';
import { seededHash } from './seeded-hash';
import type { World } from './world';

export type Profile = Record<string, unknown> & { id: number; first_name: string; last_name: string };

/** 2026-01-01: what has a moment of its own (last seen, posts) lies before it, whenever the simulator runs. */
export const CONTENT_EPOCH_SECONDS = 1_767_225_600;

/** One in three has a name of its own; it ends in the id, so that it can be found again. */
export function screenNameOfPerson(world: World, index: number): string {
  const id = world.id(index);
  if (seededHash(world.seed, 'own screen name', id) % 3 > 0) return `id${id}`;
  const { first, last } = namesOf(world, id);
  return `${first[1]}.${last[1]}_${id}`;
}

/**
 * A user object as users.get and friends.get with `fields` answer it. All of it follows from seed and id. Somebody
 * deactivated, and a closed profile to a stranger, show less.
 */
export function profileOf(
  world: World,
  index: number,
  fields: ReadonlySet<string>,
  viewer: number | null,
): Profile {
  const id = world.id(index);
  const state = world.visibility(index);
  if (state === 'deleted') return { id, first_name: 'DELETED', last_name: '', deactivated: 'deleted' };
  const { female, first, last, ending } = namesOf(world, id);
  const names = { id, first_name: first[0], last_name: last[0] + ending };
  if (state === 'banned') return { ...names, deactivated: 'banned' };

  const profile: Profile = {
    ...names,
    can_access_closed: world.maySee(index, viewer),
    is_closed: state === 'private',
  };
  if (fields.size === 0) return profile;
  if (fields.has('sex')) profile['sex'] = female ? 1 : 2;
  if (fields.has('screen_name')) profile['screen_name'] = screenNameOfPerson(world, index);
  if (fields.has('domain')) profile['domain'] = screenNameOfPerson(world, index);
  for (const size of [50, 100, 200]) {
    if (fields.has(`photo_${size}`)) profile[`photo_${size}`] = photoUrl('u', id, size);
  }
  if (profile['can_access_closed']) addDetails(profile, world, index, fields);
  return profile;
}

export function photoUrl(kind: string, id: number, size: number): string {
  return `https://vk.invalid/${kind}${id}/${size}.jpg`;
}

function addDetails(profile: Profile, world: World, index: number, fields: ReadonlySet<string>): void {
  const draw = (purpose: string, below: number): number =>
    seededHash(world.seed, purpose, profile.id) % below;
  if (fields.has('bdate') && draw('bdate', 5) > 0) {
    const day = `${1 + draw('day', 28)}.${1 + draw('month', 12)}`;
    profile['bdate'] = draw('bdate', 5) > 2 ? `${day}.${1950 + draw('year', 55)}` : day;
  }
  const city = draw('which city', CITIES.length);
  if (draw('city', 4) > 0) {
    if (fields.has('city')) profile['city'] = { id: city + 1, title: pick(CITIES, city) };
    if (fields.has('country')) profile['country'] = { id: 1, title: 'Россия' };
  }
  if (fields.has('home_town')) profile['home_town'] = draw('home town', 3) > 0 ? pick(CITIES, city) : '';
  if (fields.has('status'))
    profile['status'] = draw('status', 2) > 0 ? pick(WORDS, draw('status word', 1000)) : '';
  if (fields.has('online')) profile['online'] = draw('online', 5) === 0 ? 1 : 0;
  if (fields.has('verified')) profile['verified'] = 0;
  if (fields.has('last_seen')) {
    profile['last_seen'] = {
      platform: 1 + draw('platform', 7),
      time: CONTENT_EPOCH_SECONDS - draw('last seen', 30 * 86_400),
    };
  }
  if (fields.has('followers_count')) profile['followers_count'] = draw('followers', 400);
  if (fields.has('counters')) {
    profile['counters'] = { friends: world.friends(index).length, groups: world.groups.of(index).length };
  }
}

function namesOf(world: World, id: number) {
  const female = seededHash(world.seed, 'sex', id) % 2 === 0;
  const called = world.options.called?.get(id);
  if (called !== undefined) {
    const [first, last] = called.map((name) => [name, name.toLowerCase()] as const) as [Name, Name];
    return { female, first, last, ending: '' };
  }
  const first = pick(female ? FEMALE : MALE, seededHash(world.seed, 'first', id) % (1 << 20));
  const last = pick(LAST, seededHash(world.seed, 'last', id) % (1 << 20));
  return { female, first, last, ending: female ? 'а' : '' };
}
