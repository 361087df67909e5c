import { z } from 'zod';
import type { ItemOutcome } from '../../../domain/items';
import { FRIENDS_PER_PAGE } from './execute-script';
import { outcomeOfError, type VkError } from './errors';

const personNumber = z.number().int().positive();

const friendPage = z.object({ count: z.number().int().nonnegative(), items: z.array(personNumber) });

const user = z.object({
  id: personNumber,
  first_name: z.string(),
  last_name: z.string(),
  deactivated: z.enum(['deleted', 'banned']).optional(),
  is_closed: z.boolean().optional(),
});

const LONGEST_NAME = 256;

type Page = { count: number; ids: string[] } | { unreadable: string };

/** What an execute of friendsScript said of each person, by the position of the id. */
export function friendsOf(
  people: readonly string[],
  response: unknown,
  errors: readonly VkError[],
): Map<string, ItemOutcome> {
  const slots = slotsOf(response, errors);
  const outcomes = new Map<string, ItemOutcome>();
  people.forEach((person, index) => {
    outcomes.set(person, listOutcome(slots(index)));
  });
  return outcomes;
}

/** What an execute of longListScript said: its pages are one list, without the ids that drift brought twice. */
export function longListOf(response: unknown, pages: number, errors: readonly VkError[]): ItemOutcome {
  const slots = slotsOf(response, errors);
  const ids = new Set<string>();
  let total = 0;
  for (let page = 0; page < pages; page += 1) {
    const slot = slots(page);
    if ('outcome' in slot) return slot.outcome;
    if ('unreadable' in slot) return unreadable(slot.unreadable);
    total = Math.max(total, slot.count);
    for (const id of slot.ids) ids.add(id);
  }
  return { kind: 'list', friendIds: [...ids], total };
}

/** What users.get said. VK leaves out ids that it does not know. */
export function profilesOf(people: readonly string[], response: unknown): Map<string, ItemOutcome> {
  if (!Array.isArray(response)) {
    return new Map(people.map((person) => [person, unreadable('response: expected array')]));
  }
  const outcomes = new Map<string, ItemOutcome>();
  let nameless: string | undefined;
  response.forEach((entry: unknown, index) => {
    const parsed = user.safeParse(entry);
    if (parsed.success) {
      outcomes.set(String(parsed.data.id), profileOutcome(parsed.data));
      return;
    }
    const cause = faultOf(parsed.error, `response[${index}]`);
    const id = z.object({ id: personNumber }).safeParse(entry);
    if (id.success) outcomes.set(String(id.data.id), unreadable(cause));
    else nameless ??= cause;
  });
  const missing: ItemOutcome =
    nameless === undefined ? { kind: 'absent', cause: 'unknown' } : unreadable(nameless);
  return new Map(people.map((person) => [person, outcomes.get(person) ?? missing]));
}

function profileOutcome(seen: z.infer<typeof user>): ItemOutcome {
  return {
    kind: 'profile',
    state: seen.deactivated ?? 'active',
    profile: {
      firstName: seen.first_name.slice(0, LONGEST_NAME),
      lastName: seen.last_name.slice(0, LONGEST_NAME),
      ...(seen.is_closed === undefined ? {} : { closed: seen.is_closed }),
    },
  };
}

function listOutcome(slot: Page | { outcome: ItemOutcome }): ItemOutcome {
  if ('outcome' in slot) return slot.outcome;
  if ('unreadable' in slot) return unreadable(slot.unreadable);
  if (slot.count > slot.ids.length && slot.ids.length >= FRIENDS_PER_PAGE) return { kind: 'too-long' };
  const friendIds = [...new Set(slot.ids)];
  // As many entries as promised, some of them twice: it is all there is.
  return { kind: 'list', friendIds, total: slot.ids.length >= slot.count ? friendIds.length : slot.count };
}

/**
 * The answers of the inner calls by position. Each `false` takes the next entry of `execute_errors`; the entry
 * that VK may append for the script itself ("method": "execute") belongs to none.
 */
function slotsOf(
  response: unknown,
  errors: readonly VkError[],
): (index: number) => Page | { outcome: ItemOutcome } {
  if (!Array.isArray(response)) return () => ({ unreadable: 'response: expected array' });
  const causes = errors.filter(({ method }) => method !== 'execute')[Symbol.iterator]();
  const slots = response.map((entry: unknown, index): Page | { outcome: ItemOutcome } => {
    if (entry === false) {
      const next = causes.next();
      return next.done === true
        ? { unreadable: `response[${index}]: false without an entry in execute_errors` }
        : { outcome: outcomeOfError(next.value) };
    }
    const parsed = friendPage.safeParse(entry);
    return parsed.success
      ? { count: parsed.data.count, ids: parsed.data.items.map(String) }
      : { unreadable: faultOf(parsed.error, `response[${index}]`) };
  });
  return (index) => slots[index] ?? { unreadable: `response[${index}]: missing` };
}

function unreadable(fault: string): ItemOutcome {
  return { kind: 'again', blame: 'item', cause: `unreadable answer: ${fault}` };
}

/** `response[3].items[0]: ...`: the path of the first field that is not as VK documents it. */
export function faultOf(error: z.ZodError, root: string): string {
  const issue = error.issues[0];
  if (issue === undefined) return root;
  const path = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  return `${root}${path}: ${issue.message}`;
}
