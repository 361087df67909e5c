import { CITIES, pick, WORDS } from './names';
import { photoUrl } from './profile';
import { seededHash } from './seeded-hash';
import type { World } from './world';

export type GroupObject = Record<string, unknown> & { id: number; name: string; type: string };

/** A community as groups.getById and the extended lists answer it; the relation to the viewer needs a viewer. */
export function groupObject(
  world: World,
  number: number,
  fields: ReadonlySet<string>,
  viewer: number | null,
): GroupObject {
  const { groups } = world;
  const id = groups.id(number);
  const draw = (purpose: string, below: number): number => seededHash(world.seed, purpose, id) % below;
  const city = draw('group city', CITIES.length);
  const group: GroupObject = {
    id,
    name: `${groups.topic(number)[0]} · ${pick(CITIES, city)} №${number + 1}`,
    screen_name: groups.screenName(number),
    is_closed: groups.access(number),
    type: groups.type(number),
  };
  if (groups.isBanned(number)) group['deactivated'] = 'banned';
  if (viewer !== null) {
    group['is_admin'] = 0;
    group['is_member'] = groups.isMember(number, world.find(viewer)) ? 1 : 0;
    group['is_advertiser'] = 0;
  }
  for (const size of [50, 100, 200]) group[`photo_${size}`] = photoUrl('g', id, size);
  if (fields.size === 0 || groups.isBanned(number)) return group;
  if (fields.has('members_count') && groups.access(number) !== 2) {
    group['members_count'] = groups.members(number).length;
  }
  if (fields.has('description')) group['description'] = pick(WORDS, draw('description', 1000));
  if (fields.has('activity')) group['activity'] = groups.topic(number)[0];
  if (fields.has('status')) group['status'] = pick(WORDS, draw('group status', 1000));
  if (fields.has('site')) group['site'] = `https://vk.invalid/site${id}`;
  if (fields.has('verified')) group['verified'] = draw('verified', 10) === 0 ? 1 : 0;
  if (fields.has('city')) group['city'] = { id: city + 1, title: pick(CITIES, city) };
  if (fields.has('country')) group['country'] = { id: 1, title: 'Россия' };
  return group;
}
