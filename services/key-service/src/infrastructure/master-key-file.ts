import { randomBytes } from 'node:crypto';
import { chownSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

/** Puts a new master key in front of a file's keys; services that run see it at their next look. */
export function addMasterKey(file: string): void {
  const known = readFileSync(file, 'utf8').trim();
  rewrite(file, `${randomBytes(32).toString('base64')}\n${known}\n`);
}

/** Leaves only the first key of a file. Answers how many were taken out. */
export function keepNewestMasterKey(file: string): number {
  const [newest = '', ...older] = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (older.length > 0) rewrite(file, `${newest}\n`);
  return older.length;
}

/** In one step: a reader sees the old file or the new one. */
function rewrite(file: string, text: string): void {
  const draft = `${file}.new`;
  const { uid, gid } = statSync(file);
  writeFileSync(draft, text, { mode: 0o600 });
  try {
    // Whoever runs this may be another user than the service.
    chownSync(draft, uid, gid);
  } finally {
    renameSync(draft, file);
  }
}
