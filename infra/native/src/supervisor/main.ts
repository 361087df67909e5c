import { join } from 'node:path';
import { writeProcessFile } from '../process-file';
import { askSupervisor, socketPath } from './control';
import { listenForControl } from './control-server';
import { Supervisor } from './supervisor';

/** The daemon: `node supervisor/main.js <stack folder>`, started detached by `up`. Its own log is its output. */
async function main(stackDir: string): Promise<void> {
  const say = (sentence: string, fields: Record<string, unknown> = {}): void => {
    process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), msg: sentence, ...fields })}\n`);
  };
  if ((await askSupervisor(stackDir, { command: 'status' })) !== undefined) {
    say('Another supervisor looks after this stack');
    return;
  }
  const supervisor = new Supervisor({
    logDir: join(stackDir, 'logs'),
    say,
    changed: (processes) =>
      writeProcessFile(
        stackDir,
        processes.map((each) => ({ name: each.spec.name, pid: each.status().pid, ports: each.spec.ports })),
      ),
  });
  const end = async (): Promise<void> => {
    await supervisor.stop();
    say('Supervisor ends');
    process.exit(0);
  };
  await listenForControl(
    socketPath(stackDir),
    (request) => supervisor.handle(request),
    (request) => {
      if (request.command === 'stop') void end();
    },
  );
  process.on('SIGTERM', () => void end());
  process.on('SIGINT', () => void end());
  process.on('SIGHUP', () => undefined); // The terminal that started us may close.
  say('Supervisor looks after the stack', { stackDir, pid: process.pid });
}

main(process.argv[2] ?? '').catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
