import { z } from 'zod';
import type { ProfileField } from '../../../domain/import-scope';
import type { ItemOutcome, PersonProfile } from '../../../domain/items';
import type { VkError } from './errors';
import { FRIENDS_PER_PAGE } from './execute-script';
import { faultOf, idPage, parsed, slotsOf, unreadable, vkId } from './slots';

const place = z.object({ title: z.string() });

const user = z.object({
  id: vkId,
  first_name: z.string(),
  last_name: z.string(),
  deactivated: z.enum(['deleted', 'banned']).optional(),
  is_closed: z.boolean().optional(),
  sex: z.number().int().min(0).max(2).optional(),
  bdate: z.string().optional(),
  city: place.optional(),
  country: place.optional(),
  screen_name: z.string().optional(),
});

/** VK's names of what an import may ask for. */
const NAMES: Record<ProfileField, string> = {
  sex: 'sex',
  birthDate: 'bdate',
  city: 'city',
  country: 'country',
  screenName: 'screen_name',
};

const SEXES = ['unknown', 'female', 'male'] as const;
const LONGEST_NAME = 256;
const LONGEST_DATE = 16;

export function fieldsParameter(fields: readonly ProfileField[]): string {
  return fields.map((field) => NAMES[field]).join(',');
}

/** What an execute of friends.get said of each person, by the position of the id. */
export function friendsOf(
  people: readonly string[],
  response: unknown,
  errors: readonly VkError[],
): Map<string, ItemOutcome> {
  const slots = slotsOf(response, errors);
  return new Map(people.map((person, index) => [person, friendsOutcome(parsed(slots(index), idPage))]));
}

type Page = { data: z.infer<typeof idPage> } | { outcome: ItemOutcome };

function friendsOutcome(page: Page): ItemOutcome {
  if ('outcome' in page) return page.outcome;
  const { count, items } = page.data;
  if (count > items.length && items.length >= FRIENDS_PER_PAGE) return { kind: 'too-long' };
  const friendIds = [...new Set(items.map(String))];
  // As many entries as promised, some of them twice: it is all there is.
  return { kind: 'list', friendIds, total: items.length >= count ? friendIds.length : count };
}

/**
 * What an execute of all pages of one friend list said. Ids that come twice, or a total that changes between pages,
 * mean that the list moved meanwhile; where everything of the last total was seen all the same it is whole.
 */
export function longFriendsOf(response: unknown, pages: number, errors: readonly VkError[]): ItemOutcome {
  const read = wholeList(response, pages, errors);
  if ('outcome' in read) return read.outcome;
  const { ids, total, moved } = read;
  return moved ? { kind: 'moved', friendIds: ids, total } : { kind: 'list', friendIds: ids, total };
}

/** The pages of one list as one, and whether it changed while they were read. */
export function wholeList(
  response: unknown,
  pages: number,
  errors: readonly VkError[],
): { ids: string[]; total: number; moved: boolean } | { outcome: ItemOutcome } {
  const slots = slotsOf(response, errors);
  const ids = new Set<string>();
  let entries = 0;
  const totals: number[] = [];
  for (let page = 0; page < pages; page += 1) {
    const read = parsed(slots(page), idPage);
    if ('outcome' in read) return read;
    totals.push(read.data.count);
    entries += read.data.items.length;
    for (const id of read.data.items) ids.add(String(id));
  }
  const total = totals.at(-1) ?? 0;
  const fell = totals.some((count, page) => page > 0 && count < (totals[page - 1] ?? 0));
  const changed = entries > ids.size || totals.some((count) => count !== total);
  return { ids: [...ids], total, moved: fell || (changed && ids.size !== total) };
}

/** What users.get said. VK leaves out ids that it does not know. */
export function profilesOf(
  people: readonly string[],
  fields: readonly ProfileField[],
  response: unknown,
): Map<string, ItemOutcome> {
  if (!Array.isArray(response)) {
    return new Map(people.map((person) => [person, unreadable('response: expected array')]));
  }
  const outcomes = new Map<string, ItemOutcome>();
  let nameless: string | undefined;
  response.forEach((entry: unknown, index) => {
    const read = user.safeParse(entry);
    if (read.success) {
      outcomes.set(String(read.data.id), profileOutcome(read.data, fields));
      return;
    }
    const fault = faultOf(read.error, `response[${index}]`);
    const id = z.object({ id: vkId }).safeParse(entry);
    if (id.success) outcomes.set(String(id.data.id), unreadable(fault));
    else nameless ??= fault;
  });
  const missing: ItemOutcome =
    nameless === undefined ? { kind: 'absent', cause: 'unknown' } : unreadable(nameless);
  return new Map(people.map((person) => [person, outcomes.get(person) ?? missing]));
}

function profileOutcome(seen: z.infer<typeof user>, fields: readonly ProfileField[]): ItemOutcome {
  const profile: PersonProfile = {
    firstName: seen.first_name.slice(0, LONGEST_NAME),
    lastName: seen.last_name.slice(0, LONGEST_NAME),
    ...(seen.is_closed === undefined ? {} : { closed: seen.is_closed }),
  };
  for (const field of fields) Object.assign(profile, chosen(seen, field));
  return { kind: 'profile', state: seen.deactivated ?? 'active', profile };
}

/** Only what the import asked for is kept, whatever VK sends. */
function chosen(seen: z.infer<typeof user>, field: ProfileField): Partial<PersonProfile> {
  switch (field) {
    case 'sex':
      return seen.sex === undefined ? {} : { sex: SEXES[seen.sex] ?? 'unknown' };
    case 'birthDate':
      return seen.bdate === undefined ? {} : { birthDate: seen.bdate.slice(0, LONGEST_DATE) };
    case 'city':
      return seen.city === undefined ? {} : { city: seen.city.title.slice(0, LONGEST_NAME) };
    case 'country':
      return seen.country === undefined ? {} : { country: seen.country.title.slice(0, LONGEST_NAME) };
    case 'screenName':
      return seen.screen_name === undefined ? {} : { screenName: seen.screen_name.slice(0, LONGEST_NAME) };
  }
}
