import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPermissions, ROLES } from '@sociograph/testing';

const SERVICES = readdirSync(join(__dirname, '../../services')).filter((service) =>
  existsSync(join(__dirname, '../../services', service, 'openapi.json')),
);
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'];

describe('docs/permissions.md', () => {
  it.each(SERVICES)('says of every route of %s who may call it, and names no other', (service) => {
    const file = join(__dirname, '../../services', service, 'openapi.json');
    const { paths } = JSON.parse(readFileSync(file, 'utf8')) as {
      paths: Record<string, Record<string, { 'x-access'?: string | string[] }>>;
    };
    const declared = Object.entries(paths).flatMap(([path, operations]) =>
      METHODS.filter((method) => operations[method] !== undefined).map((method) => {
        const access = operations[method]?.['x-access'] ?? [];
        const roles = ROLES.filter((role) => access.includes(role));
        // Every route says whom it is for, in words that are known.
        expect([method, path, access === 'public' ? 0 : access.length]).toEqual([method, path, roles.length]);
        expect(roles.length > 0).toBe(access !== 'public');
        return `${method.toUpperCase()} ${path}: ${roles.join(', ')}`;
      }),
    );
    const written = readPermissions()
      .filter((permission) => permission.service === service)
      .map(({ method, path, roles }) => `${method} ${path}: ${roles.join(', ')}`);
    expect(written.sort()).toEqual(declared.sort());
  });
});
