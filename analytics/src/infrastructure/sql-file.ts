import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** The statements of a schema file, without comments; none of ours holds a semicolon in a text. */
export function schemaStatements(dialect: 'duckdb' | 'clickhouse'): string[] {
  return readFileSync(join(ROOT, 'schema', `${dialect}.sql`), 'utf8')
    .replace(/^--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

export interface Question {
  name: string;
  /** What it asks, from the comment at its top. */
  title: string;
  sql: string;
}

/** The worked questions of docs/analytics.md, in their order: one text for both warehouses. */
export function questions(): Question[] {
  const folder = join(ROOT, 'questions');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      return {
        name: file.replace(/\.sql$/, ''),
        title: /^-- ([^?]+\?)/.exec(text)?.[1] ?? file,
        sql: text.replace(/^--.*$/gm, '').trim(),
      };
    });
}
