import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ProcessRecord {
  readonly name: string;
  readonly pid: number | undefined;
  readonly ports: Readonly<Record<string, number>>;
}

/**
 * Writes `.sociograph/<stack>/processes.json`: the fleet as given, and the servers by their run files. A process that is
 * just being restarted has no pid.
 */
export function writeProcessFile(stackDir: string, fleet: readonly ProcessRecord[]): void {
  const run = join(stackDir, 'run');
  const servers = readdirSync(run)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file): ProcessRecord[] => {
      try {
        const { pid, port } = JSON.parse(readFileSync(join(run, file), 'utf8')) as {
          pid: number;
          port: number;
        };
        return [{ name: file.slice(0, -'.json'.length), pid, ports: { main: port } }];
      } catch {
        return []; // Removed between the listing and the reading.
      }
    });
  const file = join(stackDir, 'processes.json');
  // Readers must never see half a file.
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify([...fleet, ...servers], null, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
}

export function readProcessFile(stackDir: string): ProcessRecord[] {
  try {
    return JSON.parse(readFileSync(join(stackDir, 'processes.json'), 'utf8')) as ProcessRecord[];
  } catch {
    return []; // Never started.
  }
}
