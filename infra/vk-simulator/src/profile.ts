import { seededHash } from './seeded-hash';
import type { World } from './world';

const MALE = [
  'Александр',
  'Дмитрий',
  'Иван',
  'Максим',
  'Михаил',
  'Никита',
  'Павел',
  'Сергей',
  'Тимур',
  'Юрий',
];
const FEMALE = ['Алина', 'Анна', 'Вера', 'Дарья', 'Елена', 'Ирина', 'Мария', 'Ольга', 'Софья', 'Юлия'];
const LAST = [
  'Иванов',
  'Смирнов',
  'Кузнецов',
  'Попов',
  'Васильев',
  'Петров',
  'Соколов',
  'Новиков',
  'Фёдоров',
  'Морозов',
  'Волков',
  'Лебедев',
];
const CITIES = ['Москва', 'Санкт-Петербург', 'Казань', 'Новосибирск', 'Екатеринбург', 'Томск'];

export type Profile = Record<string, unknown> & { id: number; first_name: string; last_name: string };

/**
 * A user object as users.get and friends.get with `fields` answer it. All of it follows from seed and id; nothing
 * was copied from anybody.
 */
export function profileOf(
  world: World,
  index: number,
  fields: ReadonlySet<string>,
  viewer: number | null,
): Profile {
  const id = world.id(index);
  const state = world.visibility(index);
  const draw = (purpose: string, below: number): number => seededHash(world.seed, purpose, id) % below;
  const female = draw('sex', 2) === 0;
  const first = pick(female ? FEMALE : MALE, draw('first', 1 << 20));
  const last = pick(LAST, draw('last', 1 << 20)) + (female ? 'а' : '');
  if (state === 'deleted') return { id, first_name: 'DELETED', last_name: '', deactivated: 'deleted' };
  if (state === 'banned') return { id, first_name: first, last_name: last, deactivated: 'banned' };

  const profile: Profile = {
    id,
    first_name: first,
    last_name: last,
    can_access_closed: world.maySee(index, viewer),
    is_closed: state === 'private',
  };
  if (fields.has('sex')) profile['sex'] = female ? 1 : 2;
  if (fields.has('screen_name')) profile['screen_name'] = `id${id}`;
  if (fields.has('domain')) profile['domain'] = `id${id}`;
  if (!profile['can_access_closed']) return profile;
  if (fields.has('bdate') && draw('bdate', 5) > 0) {
    const day = `${1 + draw('day', 28)}.${1 + draw('month', 12)}`;
    profile['bdate'] = draw('bdate', 5) > 2 ? `${day}.${1950 + draw('year', 55)}` : day;
  }
  if (fields.has('city') && draw('city', 4) > 0) {
    const city = draw('which city', CITIES.length);
    profile['city'] = { id: city + 1, title: pick(CITIES, city) };
  }
  if (fields.has('country') && draw('city', 4) > 0) profile['country'] = { id: 1, title: 'Россия' };
  return profile;
}

function pick(list: string[], position: number): string {
  return list[position % list.length] as string;
}
