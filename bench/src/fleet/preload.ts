import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import { redirected, redirectsIn } from './redirects';

/**
 * Loaded before every program of a fleet that a drill starts (SOCIOGRAPH_PRELOAD), so that the programs themselves need
 * neither a route nor a switch for drills. DRILL_REDIRECT ("28001=41001,...") leads connections to a server's port
 * through a proxy, also where a server names its own address to clients, as Kafka does. At SIGUSR2 the heap is
 * collected, and what is left is written into DRILL_MEMORY_FOLDER: the inspector would have done it, but every process
 * wants the same port for that, and an open session changes what is measured.
 */
const redirects = redirectsIn(process.env['DRILL_REDIRECT'] ?? '');
if (redirects.size > 0) redirectConnections();
const folder = process.env['DRILL_MEMORY_FOLDER'];
if (folder !== undefined && isMainThread) answerAboutMemory(folder);

export interface MemoryReading {
  heapBytes: number;
  externalBytes: number;
  residentBytes: number;
  descriptors: number;
}

function redirectConnections(): void {
  const prototype = Socket.prototype as unknown as { connect: (this: Socket, ...args: unknown[]) => Socket };
  const { connect } = prototype;
  prototype.connect = function connectElsewhere(this: Socket, ...args: unknown[]): Socket {
    return connect.apply(this, redirected(args, redirects));
  };
}

function answerAboutMemory(into: string): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  process.on('SIGUSR2', () => {
    collect();
    // What the first collection let go of by finalizers goes with the second.
    setTimeout(() => {
      collect();
      const { heapUsed, external, rss } = process.memoryUsage();
      const reading: MemoryReading = {
        heapBytes: heapUsed,
        externalBytes: external,
        residentBytes: rss,
        descriptors: readdirSync('/proc/self/fd').length,
      };
      const file = join(into, `${process.pid}.json`);
      writeFileSync(`${file}.new`, JSON.stringify(reading));
      renameSync(`${file}.new`, file);
    }, 100).unref();
  });
}
