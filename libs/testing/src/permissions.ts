import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROLES = ['viewer', 'analyst', 'operator', 'admin', 'platform-operator'] as const;
export type Role = (typeof ROLES)[number];

export interface Permission {
  service: string;
  method: string;
  /** As OpenAPI writes it: `/v1/keys/{id}`. */
  path: string;
  roles: readonly Role[];
}

/** The tables of docs/permissions.md; no role at all: open to anybody. */
export function readPermissions(): Permission[] {
  const permissions: Permission[] = [];
  let service = '';
  for (const line of readFileSync(join(__dirname, '../../../docs/permissions.md'), 'utf8').split('\n')) {
    service = /^## (\S+)$/.exec(line)?.[1] ?? service;
    const [, method, path] = /^\| `([A-Z]+) (\S+)`/.exec(line) ?? [];
    if (method === undefined || path === undefined) continue;
    const cells = line.split('|').slice(2);
    const roles = ROLES.filter((_, column) => cells[column]?.trim() === 'x');
    permissions.push({ service, method, path, roles });
  }
  return permissions;
}
