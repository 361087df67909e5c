import { execFileSync, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { startRedis } from '../fleet/own-redis';
import { load } from './load';
import type { Load } from './load';
import { streams, uploads } from './long-traffic';
import { startGateway } from './running-gateway';
import type { RunningGateway } from './running-gateway';
import { serveUpstream } from './upstream';

const SECONDS = 4;
const ROUNDS = 7;
const ROUND_SECONDS = 0.6;
const UPLOADS = 5;
/** Median added at one connection, requests a second at 32, memory for an upload of 10 MB, streams at once. */
const BAR = { addedMs: 1, perSecond: 3000, uploadMegabytes: 20, streams: 500 };

/**
 * `npm run bench:gateway`: the embedded gateway with the rendered kong.yml (limits raised, traces at 1 %) on one core,
 * upstream and load on the other. Counters go to a Redis of its own, which runs where the kernel puts it. Exit 1 below
 * the bar.
 */
async function main(): Promise<number> {
  if (cpus().length < 2)
    throw new Error('It needs two cores: one for the gateway, one for upstream and load.');
  const redis = await startRedis([], 'redis-cache');
  // Whatever this process starts from here on stays on its core.
  execFileSync('taskset', ['-cp', '1', String(process.pid)], { stdio: 'ignore' });
  const upstream = fork(__filename, ['upstream'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const collector = http.createServer((request, answer) => {
    request.resume();
    answer.end();
  });
  await new Promise<void>((done) => collector.listen(0, '127.0.0.1', done));
  let gateway: RunningGateway | undefined;
  try {
    const upstreamPort = await new Promise<number>((done) => upstream.once('message', done));
    gateway = await startGateway(upstreamPort, (collector.address() as AddressInfo).port, redis.url);
    const fast = await speed(gateway, upstreamPort);
    return (await longTraffic(gateway)) && fast ? 0 : 1;
  } finally {
    await gateway?.stop();
    await redis.stop();
    upstream.kill('SIGKILL');
    collector.close();
  }
}

async function speed({ port, pid, token }: RunningGateway, upstreamPort: number): Promise<boolean> {
  const one = token();
  const seen = (): string => one;
  const pool = Array.from({ length: 2000 }, token);
  let next = 0;
  const unseen = (): string => pool[next++ % pool.length] as string;
  await load(port, 8, 3, seen); // Compiled before it is measured.
  await load(upstreamPort, 8, 1, seen);
  // In turn, so that what else the machine does falls on both alike.
  const direct: Load[] = [];
  const through: Load[] = [];
  const fresh: Load[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    direct.push(await load(upstreamPort, 1, ROUND_SECONDS, seen));
    through.push(await load(port, 1, ROUND_SECONDS, seen));
    fresh.push(await load(port, 1, ROUND_SECONDS / 2, unseen));
  }
  const before = processorMs(pid);
  const wide = await load(port, 32, SECONDS, seen);
  const each = (processorMs(pid) - before) / wide.requests;
  show('directly, 1 connection', direct);
  show('through the gateway, 1 connection', through);
  show('tokens not seen before, 1 connection', fresh);
  show('through the gateway, 32 connections', [wide]);
  const added = (loads: Load[]): number =>
    median(loads.map(({ medianMs }, n) => medianMs - (direct[n]?.medianMs ?? 0)));
  const addedMs = added(through);
  say(
    `median added ${addedMs.toFixed(3)} ms, uncached ${added(fresh).toFixed(3)} ms; ${each.toFixed(3)} ms of its core a request`,
  );
  const refused = [...through, wide].some(({ statuses }) => Object.keys(statuses).join() !== '200');
  return !refused && addedMs <= BAR.addedMs && wide.perSecond >= BAR.perSecond;
}

async function longTraffic({ port, pid, token }: RunningGateway): Promise<boolean> {
  const { moreMegabytes } = await uploads(port, pid, token(), UPLOADS);
  const text = moreMegabytes.map((each) => each.toFixed(1)).join(', ');
  say(`10 MB uploaded ${UPLOADS} times: ${text} MB more memory at the peak of each`);
  const { opened, events, expected, broken, moreMegabytes: more } = await streams(port, pid, token());
  say(
    `${opened} streams at once: ${events} events of about ${expected} came, ${broken} streams broke, ${more.toFixed(1)} MB more memory`,
  );
  const arrived = events >= expected - opened && broken === 0;
  return Math.max(...moreMegabytes) <= BAR.uploadMegabytes && opened === BAR.streams && arrived;
}

/** Of several rounds the median of each figure. */
function show(what: string, rounds: Load[]): void {
  const of = (name: 'requests' | 'perSecond' | 'medianMs' | 'p99Ms'): number =>
    median(rounds.map((round) => round[name]));
  const statuses = new Set(rounds.flatMap((round) => Object.keys(round.statuses)));
  say(
    `${what.padEnd(38)} ${of('perSecond').toFixed(0)}/s, median ${of('medianMs').toFixed(3)} ms, p99 ${of('p99Ms').toFixed(3)} ms, statuses ${[...statuses].join()}`,
  );
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Time that a process had a processor, its own and the kernel's for it; Linux counts in hundredths of a second. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}

if (process.argv[2] === 'upstream') serveUpstream();
else
  main().then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      process.stderr.write(`bench:gateway: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    },
  );
