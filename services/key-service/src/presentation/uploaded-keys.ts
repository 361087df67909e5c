import { Readable } from 'node:stream';
import { DomainError, type FieldFault, isDomainError } from '@sociograph/kernel';
import { requestValidation } from '@sociograph/service-host';
import { CsvError, parse } from 'csv-parse';
import type { UploadedRow } from '../application/register-keys-in-bulk';
import { RegisterKeyBody } from './key-bodies';

/** Columns of an upload: the fields of a single registration, nested ones with a dot. */
const COLUMNS = new Set([
  'network',
  'kind',
  'token',
  'label',
  'consent.givenBy',
  'consent.at',
  'limits.perSecond',
  'limits.perMinute',
  'limits.perHour',
  'limits.perDay',
  'weight',
  'egress',
  'bucket',
  'ownerId',
  'scopes',
  'refresh.token',
  'refresh.clientId',
  'refresh.deviceId',
  'refresh.expiresAt',
]);
const NEEDED = ['network', 'kind', 'token', 'consent.givenBy'];
const METHOD_COLUMN = /^limits\.methodsPerDay\.[A-Za-z][A-Za-z0-9.]{0,64}$/;
const FIGURES = /^(consent\.at|refresh\.expiresAt|weight|limits\..*)$/;
const PIECE = 65_536;
const MOST_ROWS = 50_000;
/** Checking and sealing wait for nothing: without a turn of the event loop in between no lease would be granted. */
const ROWS_PER_TURN = 8;

/** Rows of an upload, each checked like a single registration. What is no upload at all throws before any row. */
export async function uploadedRows(body: unknown): Promise<AsyncIterable<UploadedRow>> {
  const raw = typeof body === 'string' ? await csvRows(body) : jsonRows(body);
  if (raw.length === 0) throw badBody('body', 'must have at least one row');
  if (raw.length > MOST_ROWS) throw badBody('body', `must have at most ${MOST_ROWS} rows`);
  return checked(raw);
}

async function* checked(raw: readonly unknown[]): AsyncIterable<UploadedRow> {
  const validation = requestValidation();
  for (const [index, value] of raw.entries()) {
    const row = index + 1;
    if (row % ROWS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      yield { row, errors: [{ field: 'row', message: 'must be an object' }] };
    } else if (value instanceof WrongLength) {
      yield { row, errors: [value.fault] };
    } else {
      yield await checkedRow(validation, row, value);
    }
  }
}

async function checkedRow(
  validation: ReturnType<typeof requestValidation>,
  row: number,
  value: object,
): Promise<UploadedRow> {
  try {
    const described = (await validation.transform(value, {
      type: 'body',
      metatype: RegisterKeyBody,
    })) as RegisterKeyBody;
    return { row, described: { ...described } };
  } catch (error) {
    if (isDomainError(error) && error.kind === 'invalid-input') return { row, errors: error.fields };
    throw error;
  }
}

function jsonRows(body: unknown): unknown[] {
  if (!Array.isArray(body)) throw badBody('body', 'must be a list of keys, or text/csv');
  return body;
}

class WrongLength {
  readonly fault: FieldFault;

  constructor(columns: number) {
    this.fault = { field: 'row', message: `must have ${columns} columns` };
  }
}

/** Read in pieces, so that leasing goes on meanwhile; nothing is kept before the last line was understood. */
async function csvRows(text: string): Promise<object[]> {
  const parser = Readable.from(piecesOf(text)).pipe(
    parse({
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      max_record_size: 65_536,
    }),
  );
  const rows: object[] = [];
  let columns: string[] | undefined;
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      if (columns === undefined) columns = checkedColumns(record);
      else
        rows.push(
          record.length === columns.length ? nested(columns, record) : new WrongLength(columns.length),
        );
      if (rows.length > MOST_ROWS) break;
    }
  } catch (error) {
    if (error instanceof CsvError) throw badBody('body', `is not well-formed CSV (${error.code})`);
    throw error;
  }
  return rows;
}

function* piecesOf(text: string): Iterable<string> {
  for (let from = 0; from < text.length; from += PIECE) yield text.slice(from, from + PIECE);
}

function checkedColumns(header: string[]): string[] {
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice !== undefined) throw badBody(twice, 'is a column twice');
  const unknown = header.find((name) => !COLUMNS.has(name) && !METHOD_COLUMN.test(name));
  if (unknown !== undefined) throw badBody(unknown.slice(0, 100), 'is not a known column');
  const missing = NEEDED.find((name) => !header.includes(name));
  if (missing !== undefined) throw badBody(missing, 'is a column that must be there');
  return header;
}

/** Empty cells are absent; scopes stand in one cell, parted by spaces. */
function nested(columns: readonly string[], record: readonly string[]): object {
  const row: Record<string, unknown> = {};
  for (const [index, column] of columns.entries()) {
    const cell = record[index] ?? '';
    if (cell === '') continue;
    const value = column === 'scopes' ? cell.split(/\s+/) : FIGURES.test(column) ? figureOf(cell) : cell;
    place(row, pathOf(column), value);
  }
  return row;
}

function pathOf(column: string): string[] {
  const [first = '', second, ...rest] = column.split('.');
  return second === 'methodsPerDay' ? [first, second, rest.join('.')] : column.split('.');
}

function place(row: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name = '', ...deeper] = path;
  if (deeper.length === 0) row[name] = value;
  else place((row[name] ??= {}) as Record<string, unknown>, deeper, value);
}

/** What is no figure stays a text, which the check of the field refuses. */
function figureOf(cell: string): unknown {
  return /^-?\d{1,15}(\.\d{1,6})?$/.test(cell) ? Number(cell) : cell;
}

function badBody(field: string, message: string): DomainError {
  return new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: `The upload cannot be read: ${field} ${message}.`,
    fields: [{ field, message }],
  });
}
