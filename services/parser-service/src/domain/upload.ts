import { DomainError, type FieldFault } from '@sociograph/kernel';
import { PROFILE_FIELDS, type ProfileField } from './import-scope';

/** Friendships: an edge list, or CSV with `from` and `to`. People: CSV with `id`. */
export const FILE_KINDS = ['friendships', 'people'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** What a file that was uploaded holds; its rows are stored beside it. Times in milliseconds since the Unix epoch. */
export interface Upload {
  readonly id: string;
  readonly workspaceId: string;
  /** The graph that it belongs to: `file` or `file-<name>`. Ids of different graphs never meet. */
  readonly network: string;
  readonly kind: FileKind;
  /** SHA-256 of the file, unpacked, in hexadecimal: the same file is the same upload. */
  readonly digest: string;
  /** Unpacked. */
  readonly bytes: number;
  readonly people: number;
  /** Each once, however often the file repeats it. */
  readonly friendships: number;
  /** Fields beyond names and `closed` that the file has a column for. */
  readonly fields: readonly ProfileField[];
  readonly createdBy: string;
  readonly createdAt: number;
  /** Deleted so many days after this: the last time that somebody sent it. */
  readonly keptSince: number;
}

/** One person of a file, with what the file says of it: friends in a file of friendships, a profile in one of people. */
export interface UploadedPerson {
  readonly person: string;
  /** Each of them is a person of the file, too. */
  readonly friends?: readonly string[];
  /** Fields of a PersonProfile. */
  readonly profile?: Readonly<Record<string, string | boolean>>;
}

export interface UploadLimits {
  /** Of the body as it is sent, packed or not. */
  readonly megabytes: number;
  readonly unpackedBytes: number;
  readonly people: number;
  /** Lines with a friendship, repeated ones too. */
  readonly friendships: number;
  /** Faults that are told before the rest of the file is no longer looked at. */
  readonly faults: number;
}

/** Bound what one upload takes in memory: about 8 bytes a line, 200 a person, as much again while lists are arranged. */
export const UPLOAD_LIMITS: UploadLimits = {
  megabytes: 64,
  unpackedBytes: 256 * 1_048_576,
  people: 500_000,
  friendships: 3_000_000,
  faults: 20,
};

const NETWORK = /^file(-[a-z0-9]+)*$/;
const LONGEST_NETWORK = 32;
/** Not a minus first: that is how groups are written. */
const PERSON_ID = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/;

/** Whether a graph from files may have this name. */
export function isFileNetwork(name: string): boolean {
  return name.length <= LONGEST_NETWORK && NETWORK.test(name);
}

export function isPersonId(text: string): boolean {
  return PERSON_ID.test(text);
}

export const BAD_PERSON_ID = 'must be 1 to 64 letters, digits, - and _, and not begin with -';

/** Columns of a file of people, by their names in lower case without blanks, dashes and underscores. */
const COLUMNS: ReadonlyMap<string, string> = new Map(
  ['id', 'name', 'firstName', 'lastName', 'closed', ...PROFILE_FIELDS].map((field) => [
    field.toLowerCase(),
    field,
  ]),
);
const LONGEST: Readonly<Record<string, number>> = { birthDate: 16 };
const LONGEST_TEXT = 256;
const SEXES = ['female', 'male', 'unknown'];

/** The field that a column of a file of people is; undefined for one that nobody knows. */
export function columnOf(name: string): string | undefined {
  return COLUMNS.get(name.trim().toLowerCase().replace(/[ _-]/g, ''));
}

/** What is wrong with the columns of a file of people; nothing is wrong with an empty answer. */
export function faultsOfColumns(names: readonly string[]): FieldFault[] {
  const fields = names.map(columnOf);
  const faults = names.flatMap((name, index): FieldFault[] => {
    const at = `columns.${name.trim().slice(0, 64)}`;
    const field = fields[index];
    if (field === undefined) return [{ field: at, message: 'is no known column' }];
    return fields.indexOf(field) < index ? [{ field: at, message: 'is a column twice' }] : [];
  });
  if (fields.includes('name') && (fields.includes('firstName') || fields.includes('lastName')))
    faults.push({ field: 'columns.name', message: 'cannot stand beside firstName or lastName' });
  return faults;
}

/** A row of a file of people; empty cells say nothing. */
export function personOf(
  columns: readonly (string | undefined)[],
  cells: readonly string[],
): { person: UploadedPerson } | { faults: FieldFault[] } {
  const faults: FieldFault[] = [];
  const profile: Record<string, string | boolean> = {};
  let person = '';
  columns.forEach((field, index) => {
    const text = (cells[index] ?? '').trim();
    if (field === undefined) return;
    if (field === 'id') {
      person = text;
      if (!isPersonId(text)) faults.push({ field, message: BAD_PERSON_ID });
    } else if (text !== '') {
      const fault = take(profile, field, text);
      if (fault !== undefined) faults.push({ field, message: fault });
    }
  });
  return faults.length > 0 ? { faults } : { person: { person, profile } };
}

/** Puts a cell where it belongs; what is wrong with it, otherwise. */
function take(profile: Record<string, string | boolean>, field: string, text: string): string | undefined {
  const longest = LONGEST[field] ?? LONGEST_TEXT;
  if (text.length > longest) return `must have at most ${longest} characters`;
  if (text.includes('\0')) return 'must not hold U+0000';
  if (field === 'name') {
    const [firstName = '', ...others] = text.split(/\s+/);
    Object.assign(profile, { firstName, lastName: others.join(' ') });
    return undefined;
  }
  if (field === 'closed') {
    if (text !== 'true' && text !== 'false') return 'must be true or false';
    profile['closed'] = text === 'true';
    return undefined;
  }
  if (field === 'sex' && !SEXES.includes(text)) return `must be one of: ${SEXES.join(', ')}`;
  profile[field] = text;
  return undefined;
}

/** The file is refused as a whole; each fault names its line (`lines.7.from`) or column. */
export function uploadUnreadable(faults: FieldFault[]): DomainError {
  const [first] = faults;
  return new DomainError({
    code: 'UPLOADS.UNREADABLE',
    kind: 'unprocessable',
    message: `Nothing of the file was taken: ${first?.field} ${first?.message}.`,
    fields: faults,
  });
}

/** The connection broke before the body had come. */
export function uploadBroken(cause: unknown): DomainError {
  return new DomainError({
    code: 'UPLOADS.BROKEN_OFF',
    kind: 'invalid-input',
    message: 'The body ended before it was whole.',
    fields: [{ field: 'body', message: 'ended before it was whole' }],
    cause,
  });
}

/** No upload of this id in the caller's workspace, or none any more. */
export function uploadUnknown(uploadId: string): DomainError {
  return new DomainError({
    code: 'UPLOADS.UNKNOWN',
    kind: 'not-found',
    message: 'There is no such upload.',
    facts: { uploadId },
  });
}

/** An import that has not ended reads it. */
export function uploadInUse(uploadId: string): DomainError {
  return new DomainError({
    code: 'UPLOADS.IN_USE',
    kind: 'conflict',
    message: 'An import that has not ended reads this upload.',
    facts: { uploadId },
  });
}

/** This process reads as many files at once as its memory is meant for. */
export function uploadsBusy(most: number): DomainError {
  return new DomainError({
    code: 'UPLOADS.BUSY',
    kind: 'too-many',
    message: 'Too many files are being read at the moment.',
    facts: { most },
    retryAfterSeconds: 3,
  });
}

/** The workspace keeps as many uploads as it may. */
export function tooManyUploads(most: number): DomainError {
  return new DomainError({
    code: 'UPLOADS.QUOTA',
    kind: 'too-many',
    message: `The quota uploads of this workspace (${most}) is used up.`,
    facts: { quota: 'uploads', most },
    retryAfterSeconds: 3_600,
  });
}
