import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TARGETS } from './render';

const COLUMNS = ['viewer', 'analyst', 'operator', 'admin', 'platform-operator', 'anybody'];
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'];

/** Writes the tables of docs/permissions.md (behind its introduction) from what the routes declare. */
function main(): void {
  const root = join(__dirname, '../../..');
  const file = join(root, 'docs/permissions.md');
  const [introduction = ''] = readFileSync(file, 'utf8').split('\n## ', 1);
  const sections = Object.keys(TARGETS).flatMap((service) => {
    const document = join(root, 'services', service, 'openapi.json');
    return existsSync(document) ? [`## ${service}\n\n${table(document)}\n`] : [];
  });
  writeFileSync(file, [`${introduction.trimEnd()}\n`, ...sections].join('\n'));
}

function table(document: string): string {
  const { paths } = JSON.parse(readFileSync(document, 'utf8')) as {
    paths: Record<string, Record<string, { 'x-access'?: string | string[] }>>;
  };
  const rows = Object.keys(paths)
    .sort()
    .flatMap((path) =>
      METHODS.filter((method) => paths[path]?.[method] !== undefined).map((method) => {
        const access = paths[path]?.[method]?.['x-access'] ?? [];
        const allowed = access === 'public' ? ['anybody'] : access;
        const cells = COLUMNS.map((column) => (allowed.includes(column) ? 'x' : ''));
        return [`\`${method.toUpperCase()} ${path}\``, ...cells];
      }),
    );
  const heading = ['endpoint', ...COLUMNS];
  const widths = heading.map((text, at) => Math.max(text.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: string[]): string =>
    `| ${cells.map((text, at) => text.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [line(heading), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

main();
