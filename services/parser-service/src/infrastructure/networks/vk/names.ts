import { z } from 'zod';
import type { ItemOutcome } from '../../../domain/items';
import type { VkError } from './errors';
import { parsed, type Slot, slotsOf, vkId } from './slots';

const resolved = z.object({ type: z.string(), object_id: vkId });
const GROUPS = ['group', 'page', 'event'];

const NUMBER = /^[1-9]\d{0,15}$/;
const ADDRESS = /^(?:https?:\/\/)?(?:m\.)?vk\.(?:com|ru)\//;
const PERSON = /^(?:id)?([1-9]\d{0,15})$/;
const GROUP = /^(?:-|club|public|event)([1-9]\d{0,15})$/;
const NAME = /^@?([A-Za-z][A-Za-z0-9_.]{1,63})$/;

/** `107`, `id107`, `-1`, `club1`, `public1`, `event1`, a screen name, or the address of a page with one of them. */
export function subjectOf(given: string): string | undefined {
  const text = given.replace(ADDRESS, '');
  const person = PERSON.exec(text)?.[1];
  if (person !== undefined) return isId(person) ? person : undefined;
  const group = GROUP.exec(text)?.[1];
  if (group !== undefined) return isId(group) ? `-${group}` : undefined;
  const name = NAME.exec(text)?.[1];
  return name === undefined ? undefined : `@${name}`;
}

const isId = (text: string): boolean => NUMBER.test(text) && Number(text) <= Number.MAX_SAFE_INTEGER;

/** What an execute of utils.resolveScreenName said: whose name it is becomes a seed of the import. */
export function namesOf(
  names: readonly string[],
  response: unknown,
  errors: readonly VkError[],
): Map<string, ItemOutcome> {
  const slots = slotsOf(response, errors);
  return new Map(
    names.map((name, index) => {
      const slot = slots(index);
      if (isNothing(slot)) return [name, { kind: 'absent', cause: 'unknown' }];
      const read = parsed(slot, resolved);
      return [name, 'outcome' in read ? read.outcome : ownerOf(read.data)];
    }),
  );
}

/** Nothing found is an empty list (facts/vk-api.md, 7). */
function isNothing(slot: Slot): boolean {
  return 'value' in slot && Array.isArray(slot.value) && slot.value.length === 0;
}

function ownerOf({ type, object_id: id }: z.infer<typeof resolved>): ItemOutcome {
  const person = type === 'user' ? String(id) : GROUPS.includes(type) ? `-${id}` : undefined;
  // An application has a name too, and neither friends nor members.
  if (person === undefined) return { kind: 'absent', cause: 'unknown' };
  return { kind: 'seen', observations: [], met: [{ person, steps: 0 }], rest: { kind: 'none' } };
}
