import { processTable, residentMbOf } from '../process-table';
import { readProcessFile } from '../process-file';
import { ServerControl } from '../server-control';
import type { Servers } from '../servers/catalogue';
import { askSupervisor } from '../supervisor/control';

export interface StatusRow {
  readonly name: string;
  readonly state: string;
  readonly pid: number | undefined;
  readonly port: number | undefined;
  readonly restarts: number;
  readonly residentMb: number;
}

/** Servers and fleet of one stack as rows; true in `healthy` when nothing is dead, deaf or given up. */
export async function stackStatus(servers: Servers): Promise<{ rows: StatusRow[]; healthy: boolean }> {
  const { stack } = servers;
  const control = new ServerControl(stack);
  const table = processTable();
  const serverRows = await Promise.all(
    servers
      .all()
      .map(async (server): Promise<StatusRow> => ({ restarts: 0, ...(await control.status(server, table)) })),
  );
  const ports = new Map(
    readProcessFile(stack.dir).map((record) => [record.name, Object.values(record.ports)[0]]),
  );
  const reply = await askSupervisor(stack.dir, { command: 'status' });
  const fleetRows = reply?.ok === true ? reply.processes : [];
  const rows = [
    ...serverRows,
    ...fleetRows.map((process): StatusRow => ({
      name: process.name,
      state:
        process.lastExit === undefined ? process.state : `${process.state} (before: ${process.lastExit})`,
      pid: process.pid,
      port: ports.get(process.name),
      restarts: process.restarts,
      residentMb: process.pid === undefined ? 0 : residentMbOf(process.pid, table),
    })),
  ];
  const healthy =
    serverRows.every((row) => row.state === 'running' || row.state === 'given') &&
    fleetRows.every((process) => process.state === 'running');
  return { rows, healthy };
}

/** The rows as a table, with the sum of memory below. */
export function renderStatus(rows: readonly StatusRow[]): string {
  const cells = [
    ['name', 'state', 'pid', 'port', 'restarts', 'resident MB'],
    ...rows.map((row) => [
      row.name,
      row.state,
      row.pid?.toString() ?? '-',
      row.port?.toString() ?? '-',
      row.restarts.toString(),
      row.residentMb.toFixed(0),
    ]),
    ['', '', '', '', '', rows.reduce((sum, row) => sum + row.residentMb, 0).toFixed(0)],
  ];
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: string[]): string =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return cells.map(line).join('\n');
}
