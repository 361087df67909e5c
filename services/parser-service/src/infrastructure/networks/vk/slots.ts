import { z } from 'zod';
import type { ItemOutcome } from '../../../domain/items';
import { outcomeOfError, type VkError } from './errors';

/** What one inner call of an `execute` gave: its value and where that is in the answer, or what its error means. */
export type Slot = { value: unknown; at: string } | { outcome: ItemOutcome };

/**
 * The answers of the inner calls by position. Each `false` takes the next entry of `execute_errors`; the entry
 * that VK may append for the script itself ("method": "execute") belongs to none. Where there are not as many of the one
 * as of the other, nobody knows whose an error is: an open profile must not be noted as a closed one.
 */
export function slotsOf(response: unknown, errors: readonly VkError[]): (index: number) => Slot {
  if (!Array.isArray(response)) return () => ({ outcome: unreadable('response: expected array') });
  const own = errors.filter(({ method }) => method !== 'execute');
  const failed = response.filter((value) => value === false).length;
  const strange =
    failed === own.length
      ? undefined
      : unreadable(`execute_errors: expected an entry for each of ${failed} failed calls, not ${own.length}`);
  const causes = own[Symbol.iterator]();
  const slots = response.map((value: unknown, index): Slot => {
    const at = `response[${index}]`;
    if (value !== false) return { value, at };
    const next = causes.next();
    if (strange !== undefined || next.done === true) return { outcome: strange ?? unreadable(at) };
    return { outcome: outcomeOfError(next.value) };
  });
  return (index) => slots[index] ?? { outcome: unreadable(`response[${index}]: missing`) };
}

/** The slot as the schema has it, or what becomes of the item instead. */
export function parsed<T>(slot: Slot, schema: z.ZodType<T>): { data: T } | { outcome: ItemOutcome } {
  if ('outcome' in slot) return slot;
  const read = schema.safeParse(slot.value);
  return read.success ? { data: read.data } : { outcome: unreadable(faultOf(read.error, slot.at)) };
}

/**
 * Where the walk through a list goes on; undefined where it begins. A cursor of an older version of this adapter begins
 * anew: what it read before is published once more, and the items do not fail for ever.
 */
export function storedCursor<T>(
  cursors: Readonly<Record<string, string>>,
  subject: string,
  shape: z.ZodType<T>,
): T | undefined {
  const stored = cursors[subject];
  return stored === undefined ? undefined : shape.safeParse(JSON.parse(stored)).data;
}

export function unreadable(fault: string): ItemOutcome {
  return { kind: 'unreadable', fault };
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

/** An id that people, communities and posts of VK have. */
export const vkId = z.number().int().positive();
/** A page of ids as most lists of VK have it; `count` is the total. */
export const idPage = z.object({ count: z.number().int().nonnegative(), items: z.array(vkId) });
