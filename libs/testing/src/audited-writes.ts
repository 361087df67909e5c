import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface AuditedWrite {
  method: string;
  /** As OpenAPI writes it: `/v1/keys/{id}`. */
  path: string;
  /** What the records name. */
  action: string;
  recorded: string;
  /** False: it may succeed without changing anything, and then there is no record. */
  always: boolean;
}

/** The table of docs/security.md: every endpoint that changes something, and what its record in the trail is called. */
export function readAuditedWrites(): AuditedWrite[] {
  const text = readFileSync(join(__dirname, '../../../docs/security.md'), 'utf8');
  const section = text.split('<!-- audited -->')[1] ?? '';
  return section.split('\n').flatMap((line) => {
    const [, method, path, action, recorded] =
      /^\| `([A-Z]+) (\S+)`\s*\| `(\S+)`\s*\| (.+?)\s*\|$/.exec(line) ?? [];
    if (method === undefined || path === undefined || action === undefined || recorded === undefined)
      return [];
    return [{ method, path, action, recorded, always: recorded !== 'if it changes anything' }];
  });
}
