import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { accepts, endGroup, lastLines, launchDetached } from './launch';
import { membersOf, type ProcessEntry, processTable, residentMbOf } from './process-table';
import { PlainFault, type Server } from './servers/server';
import type { Stack } from './stack';

export type ServerState = 'running' | 'given' | 'not answering' | 'stopped' | 'died';

export interface ServerStatus {
  readonly name: string;
  readonly state: ServerState;
  readonly pid: number | undefined;
  readonly port: number;
  readonly residentMb: number;
}

/** Starts, stops and looks after the servers of one stack by their run files (`run/<server>.json`). */
export class ServerControl {
  constructor(private readonly stack: Stack) {}

  /**
   * Makes the server run and answer, whatever state it was found in: started by an earlier call, half started, dead with
   * a run file left behind, or alive but deaf (then it is ended and started again).
   */
  async start(server: Server): Promise<'started' | 'was running' | 'given'> {
    if (server.given() !== undefined) {
      await this.untilReady(server, () => false, 30_000);
      return 'given';
    }
    const pid = this.livingPid(server);
    if (pid !== undefined) {
      if (
        await this.becomesReady(server, () => this.livingPid(server) === undefined, this.patienceMs(server))
      ) {
        return 'was running';
      }
      await this.stop(server);
    }
    if (await accepts(server.port)) {
      throw new PlainFault(
        `${server.name} cannot have port ${server.port}: another program listens there. End it, or choose other ports with --port-base N.`,
      );
    }
    await server.prepare();
    const launched = await launchDetached(server.launch(), this.logFile(server));
    writeFileSync(this.runFile(server), JSON.stringify({ pid: launched.pid, port: server.port }));
    await this.untilReady(server, launched.exited, server.startTimeoutMs);
    return 'started';
  }

  async stop(server: Server, signal: NodeJS.Signals = server.stopSignal): Promise<void> {
    const pid = this.recordedPid(server);
    if (pid !== undefined) await endGroup(pid, server.marker, signal, server.stopGraceMs);
    rmSync(this.runFile(server), { force: true });
  }

  async status(server: Server, table: ProcessEntry[] = processTable()): Promise<ServerStatus> {
    const base = { name: server.name, port: server.port };
    if (server.given() !== undefined) {
      return {
        ...base,
        state: (await server.ready()) ? 'given' : 'not answering',
        pid: undefined,
        residentMb: 0,
      };
    }
    const pid = this.recordedPid(server);
    if (pid === undefined) return { ...base, state: 'stopped', pid: undefined, residentMb: 0 };
    if (membersOf(pid, server.marker, table).length === 0) {
      return { ...base, state: 'died', pid: undefined, residentMb: 0 };
    }
    const state = (await server.ready()) ? 'running' : 'not answering';
    return { ...base, state, pid, residentMb: residentMbOf(pid, table) };
  }

  logFile(server: Server): string {
    return join(this.stack.dir, 'logs', `${server.name}.log`);
  }

  private async untilReady(server: Server, exited: () => boolean, timeoutMs: number): Promise<void> {
    if (await this.becomesReady(server, exited, timeoutMs)) return;
    const what = exited() ? 'ended right after its start' : `did not answer within ${timeoutMs / 1000} s`;
    const log = this.logFile(server);
    throw new PlainFault(`${server.name} ${what}. The end of ${log}:\n${lastLines(log, 12)}`);
  }

  private async becomesReady(server: Server, exited: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline && !exited()) {
      if (await server.ready()) return true;
      await pause(100);
    }
    return false;
  }

  /** A server that was only just started gets the rest of its time; one that has been up for long must answer soon. */
  private patienceMs(server: Server): number {
    const ageMs = Date.now() - statSync(this.runFile(server)).mtimeMs;
    return Math.max(server.startTimeoutMs - ageMs, 5000);
  }

  private livingPid(server: Server): number | undefined {
    const pid = this.recordedPid(server);
    return pid !== undefined && membersOf(pid, server.marker).length > 0 ? pid : undefined;
  }

  private recordedPid(server: Server): number | undefined {
    const file = this.runFile(server);
    if (!existsSync(file)) return undefined;
    try {
      return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
    } catch {
      return undefined; // Cut off in mid-write: as good as none.
    }
  }

  private runFile(server: Server): string {
    return join(this.stack.dir, 'run', `${server.name}.json`);
  }
}
