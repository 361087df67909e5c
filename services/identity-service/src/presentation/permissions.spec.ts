import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROLES = ['viewer', 'analyst', 'operator', 'admin', 'platform-operator'];
const root = join(__dirname, '../..');

/** `GET /v1/audit: admin, platform-operator`, as the OpenAPI document has it. */
function declared(): { guarded: string[]; open: string[] } {
  const { paths } = JSON.parse(readFileSync(join(root, 'openapi.json'), 'utf8')) as {
    paths: Record<string, Record<string, { 'x-access'?: string | string[] }>>;
  };
  const all = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { 'x-access': access }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      access,
    })),
  );
  return {
    open: all.filter(({ access }) => access === 'public').map(({ name }) => name),
    guarded: all
      .filter(({ access }) => access !== 'public')
      .map(({ name, access }) => `${name}: ${ROLES.filter((role) => access?.includes(role)).join(', ')}`),
  };
}

describe('the table of permissions in the README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');

  it('says of every route who may call it, and names no other', () => {
    const written = [...readme.matchAll(/^\| `([A-Z]+ \S+)`\s*\|(.*)\|$/gm)].map(([, name, cells]) => {
      const marks = (cells ?? '').split('|').map((cell) => cell.trim());
      return `${name}: ${ROLES.filter((_, column) => marks[column] === 'x').join(', ')}`;
    });
    expect(written.sort()).toEqual(declared().guarded.sort());
  });

  it('names the public routes', () => {
    const { open } = declared();
    expect(open).toHaveLength(3);
    for (const name of open) expect(readme).toContain(`\`${name}\``);
  });
});
