import { z } from 'zod';
import type { ProfileField } from '../../../domain/import-scope';
import type { ItemOutcome, PersonProfile } from '../../../domain/items';
import { PACK_KINDS, type PackSizes } from '../../../domain/packing';
import { type CallContent, type NetworkRequest, type Reading, SocialNetwork } from '../../../domain/ports';
import { isFileNetwork, isPersonId } from '../../../domain/upload';

/** The seed that stands for everybody whom the files name. */
export const EVERYBODY = '@everybody';
/** People whom one call of that seed tells. */
export const PEOPLE_PER_PAGE = 5_000;
/** What files are read at, a process each: enough for 2,000 lists a second, which is more than the graph takes. */
export const FILE_CALLS_PER_SECOND = 20;
const UPLOAD_GONE = 'an upload that the import reads is no longer kept';
/** What a record of a list may hold; the rest of a longer one is known from the other ends. */
const LONGEST_LIST = 20_000;
/**
 * Records have 512 KB at most, also that of the graph with the person's document beside the list: ids of a file may be
 * long enough that this comes first.
 */
const LONGEST_LIST_BYTES = 400_000;
/** An id is ASCII; quotes and comma stand around it. */
const BESIDE_AN_ID = 3;
const NEVER = { most: 1 };

const profile = z.object({
  firstName: z.string().optional(),
  lastName: z.string().optional(),
  closed: z.boolean().optional(),
  sex: z.enum(['female', 'male', 'unknown']).optional(),
  birthDate: z.string().optional(),
  city: z.string().optional(),
  country: z.string().optional(),
  screenName: z.string().optional(),
});

const answers = {
  names: z.object({ people: z.array(z.string()), next: z.string().nullable() }),
  // Pairs, since ids are free text: an object has no place for somebody who is called `__proto__`.
  profiles: z.object({ found: z.array(z.tuple([z.string(), profile])) }),
  lists: z.object({ found: z.array(z.tuple([z.string(), z.string()])) }),
};

/**
 * Graphs from files that were uploaded. Each name (`file`, `file-club`) is a network of its own, so that ids of
 * different files never mean the same person, and those of VK neither. What is asked is answered by the stored rows.
 */
export class FileNetwork extends SocialNetwork {
  readonly name = 'file';
  override readonly everybody = EVERYBODY;
  override readonly isFree = true;
  readonly offers = ['profiles', 'friends'] as const;
  readonly packSizes: PackSizes = {
    ...(Object.fromEntries(PACK_KINDS.map((kind) => [kind, NEVER])) as unknown as PackSizes),
    profiles: { most: 1_000 },
    lists: { most: 100 },
  };
  readonly keyCallsPerSecond = FILE_CALLS_PER_SECOND;

  override serves(network: string): boolean {
    return isFileNetwork(network);
  }

  subject(given: string): string | undefined {
    return isPersonId(given) ? given : undefined;
  }

  methods({ kind }: CallContent): Record<string, number> {
    return { [`file.${kind}`]: 1 };
  }

  request({ kind, people, cursors, scope }: CallContent): NetworkRequest {
    const after = cursors[EVERYBODY] ?? '';
    return {
      path: `/${kind}`,
      headers: {},
      body: JSON.stringify({ files: scope.files ?? {}, people, after }),
      timeoutMs: 30_000,
    };
  }

  read({ kind, people, scope: { fields } }: CallContent, status: number, body: string): Reading {
    const told = { errors: [], made: {} };
    if (status !== 200)
      return {
        kind: 'failed',
        blame: 'item',
        cause: status === 410 ? UPLOAD_GONE : `status ${status}`,
        ...told,
      };
    const outcomes = outcomesOf(kind, people, fields, JSON.parse(body));
    return { kind: 'read', outcomes, ...told };
  }
}

function outcomesOf(
  kind: CallContent['kind'],
  people: readonly string[],
  fields: readonly ProfileField[],
  answer: unknown,
): Map<string, ItemOutcome> {
  const each = (of: (person: string) => ItemOutcome): Map<string, ItemOutcome> =>
    new Map(people.map((person) => [person, of(person)]));
  const unknown: ItemOutcome = { kind: 'absent', cause: 'unknown' };
  switch (kind) {
    case 'names': {
      const { people: named, next } = answers.names.parse(answer);
      const met = named.map((person) => ({ person, steps: 0 as const }));
      const rest = next === null ? { kind: 'none' as const } : { kind: 'more' as const, cursor: next };
      return each(() => ({ kind: 'seen', observations: [], met, rest }));
    }
    case 'profiles': {
      const found = new Map(answers.profiles.parse(answer).found);
      return each((person) => {
        const seen = found.get(person);
        return seen === undefined
          ? unknown
          : { kind: 'profile', state: 'active', profile: kept(seen, fields) };
      });
    }
    case 'lists': {
      const found = new Map(answers.lists.parse(answer).found);
      return each((person) => {
        const text = found.get(person);
        if (text === undefined) return unknown;
        const ids = text === '' ? [] : text.split(',');
        return { kind: 'list', friendIds: fitting(ids), total: ids.length };
      });
    }
    default:
      // Nothing else is offered, so no import has such items.
      return each(() => unknown);
  }
}

/** As many as a record may hold. */
function fitting(ids: string[]): string[] {
  let bytes = 0;
  const beyond = ids.findIndex((id, index) => {
    bytes += id.length + BESIDE_AN_ID;
    return index >= LONGEST_LIST || bytes > LONGEST_LIST_BYTES;
  });
  return beyond < 0 ? ids : ids.slice(0, beyond);
}

/** Only what the import asked for; a file that gives no names leaves them empty. */
function kept(seen: z.infer<typeof profile>, fields: readonly ProfileField[]): PersonProfile {
  const { firstName = '', lastName = '', closed } = seen;
  const asked = fields.flatMap((field) => (seen[field] === undefined ? [] : [[field, seen[field]]]));
  return {
    ...{ firstName, lastName },
    ...(closed === undefined ? {} : { closed }),
    ...(Object.fromEntries(asked) as Partial<PersonProfile>),
  };
}
