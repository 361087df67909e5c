import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A suppression key of this spec's own: its marks say nothing to any other spec. */
export function ownSuppressionKey(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'suppression-')), 'key');
  writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  return file;
}
