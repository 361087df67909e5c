import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../repository';
import { BOARDS } from './boards';
import { dashboardOf } from './dashboard';

/** Writes infra/grafana/dashboards, one file each, and removes those of boards that are no more. */
function main(): void {
  const folder = join(ROOT, 'infra/grafana/dashboards');
  mkdirSync(folder, { recursive: true });
  const files = new Map(
    BOARDS.map((board) => [`${board.uid}.json`, `${JSON.stringify(dashboardOf(board, BOARDS), null, 2)}\n`]),
  );
  for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(join(folder, name));
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
}

main();
