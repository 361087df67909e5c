import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPermissions, ROLES } from '../../e2e/security/permissions';

const SERVICES = ['key-service', 'parser-service', 'graph-storage-service', 'read-model-projector'];
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
        expect([method, path, typeof access, roles.length]).toEqual([method, path, 'object', access.length]);
        return `${method.toUpperCase()} ${path}: ${roles.join(', ')}`;
      }),
    );
    const written = readPermissions()
      .filter((permission) => permission.service === service)
      .map(({ method, path, roles }) => `${method} ${path}: ${roles.join(', ')}`);
    expect(written.sort()).toEqual(declared.sort());
  });
});
