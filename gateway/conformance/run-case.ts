import http from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fact } from './facts';
import type { RecordingUpstream } from './recording-upstream';

/** A request. */
export interface Ask {
  method?: string;
  path?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
  /** Address of this machine that it comes from. */
  from?: string;
  /** The client goes away once this has come. */
  leavesAfter?: string;
  /** Done as soon as something of the answer has come. */
  meanwhile?: Configure;
  /** The port that tells readiness and metrics. */
  port?: 'status';
}
/** Bytes as they are, for what no client library would send; read until so many answers have begun (1). */
interface Raw {
  raw: string;
  answers?: number;
}
/** A file that is posted to the admin port; a document without it changes nothing. */
interface Configure {
  configure: object | string;
}
/** The same request several times at once. */
interface AtOnce {
  atOnce: Ask;
  times: number;
}
export type Step = Ask | Raw | Configure | AtOnce;

/** null = must be absent; a text is compared whole; a pattern is searched. */
type Expected = string | RegExp | null;

/** What is expected of the last step. */
export interface Expectation {
  status?: number;
  /** Of requests at once: statuses with how often each came. */
  statuses?: string | RegExp;
  body?: string | RegExp;
  headers?: Readonly<Record<string, Expected>>;
  /** False: the connection ended before the answer did. */
  complete?: boolean;
  /** How often the request reached the upstream; 0 where the gateway answers itself. */
  attempts?: number | RegExp;
  upstream?: {
    url?: string;
    method?: string;
    headers?: Readonly<Record<string, Expected>>;
    /** Headers that are as they were in the first request of the case. */
    asFirst?: readonly string[];
    /** It saw the client leave. */
    left?: boolean;
  };
}

/** One behaviour of Kong that was seen on a real server. */
export interface ConformanceCase {
  fact: Fact;
  name: string;
  /** Done one after the other. */
  ask: (world: World) => Step | readonly Step[];
  expect: Expectation;
  /** What gateway/embedded does instead, and why. At most five reasons in all. */
  deviation?: { reason: string; expect: Expectation };
}

/** A gateway with what surrounds it. */
export interface World {
  host: string;
  port: number;
  admin: string;
  status: string;
  /** What it was given, and is given again after a case that gave it something else. */
  document: ConformanceDocument;
  upstream: RecordingUpstream;
}
export interface ConformanceDocument {
  consumers: Record<string, unknown>[];
  services: Array<Record<string, unknown> & { routes: Record<string, unknown>[] }>;
  [field: string]: unknown;
}

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  complete: boolean;
  statuses?: string;
}

/** Every difference between what came and what was expected, one sentence each. */
export async function differences(
  one: ConformanceCase,
  world: World,
  expected: Expectation = one.expect,
): Promise<string[]> {
  const { upstream } = world;
  upstream.forget();
  const asked = one.ask(world);
  const steps = 'length' in asked ? asked : [asked];
  for (const step of steps.slice(0, -1)) await take(step, world);
  const before = upstream.seen.length;
  const reply = await take(steps.at(-1) as Step, world);
  const found: string[] = [];
  const compare = (what: string, is: string | undefined, should: Expected | undefined): void => {
    if (should === undefined) return;
    const fits =
      should === null ? is === undefined : should instanceof RegExp ? should.test(is ?? '') : is === should;
    if (!fits)
      found.push(
        `${what} is ${JSON.stringify(is)}, not ${should instanceof RegExp ? String(should) : JSON.stringify(should)}`,
      );
  };
  if (expected.status !== undefined) compare('status', String(reply.status), String(expected.status));
  compare('statuses', reply.statuses, expected.statuses);
  compare('body', reply.body, expected.body);
  compare('complete', String(reply.complete), String(expected.complete ?? true));
  for (const [name, should] of Object.entries(expected.headers ?? {}))
    compare(`header ${name}`, joined(reply.headers[name]), should);
  const { attempts } = expected;
  const counted = upstream.seen.length - before;
  compare('attempts', String(counted), typeof attempts === 'number' ? String(attempts) : attempts);
  const last = upstream.seen.at(-1);
  compare('upstream path', last?.url, expected.upstream?.url);
  compare('upstream method', last?.method, expected.upstream?.method);
  for (const [name, should] of Object.entries(expected.upstream?.headers ?? {}))
    compare(`upstream header ${name}`, joined(last?.headers[name]), should);
  for (const name of expected.upstream?.asFirst ?? [])
    compare(`upstream header ${name}`, joined(last?.headers[name]), joined(upstream.seen[0]?.headers[name]));
  if (expected.upstream?.left === true && !(await sawLeave(upstream)))
    found.push('the upstream did not see that the client left');
  if (steps.some((step) => 'configure' in step)) await take({ configure: world.document }, world);
  return found;
}

async function sawLeave(upstream: RecordingUpstream): Promise<boolean> {
  for (const deadline = Date.now() + 20_000; upstream.left === 0 && Date.now() < deadline;) await delay(10);
  return upstream.left > 0;
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

async function take(step: Step, world: World): Promise<Reply> {
  if ('raw' in step) return sendRaw(world, step);
  if ('configure' in step) return configure(world, step);
  if (!('atOnce' in step)) return send(world, step);
  const replies = await Promise.all(Array.from({ length: step.times }, () => send(world, step.atOnce)));
  const counts = new Map<number, number>();
  for (const { status } of replies) counts.set(status, (counts.get(status) ?? 0) + 1);
  const statuses = [...counts].sort(([a], [b]) => a - b).map(([status, count]) => `${status} x${count}`);
  return { ...(replies[0] as Reply), statuses: statuses.join(', ') };
}

async function configure({ admin }: World, { configure: given }: Configure): Promise<Reply> {
  const body = typeof given === 'string' ? given : JSON.stringify(given);
  const answer = await fetch(`${admin}/config`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  return { status: answer.status, headers: {}, body: await answer.text(), complete: true };
}

function send(world: World, ask: Ask): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path = '/', headers: given = {}, body, from, leavesAfter, meanwhile } = ask;
    const sized = body !== undefined && !('transfer-encoding' in given);
    const headers = sized ? { ...given, 'content-length': String(Buffer.byteLength(body)) } : given;
    const at = ask.port === 'status' ? new URL(world.status) : undefined;
    const request = http.request(
      {
        host: at?.hostname ?? world.host,
        port: at?.port ?? world.port,
        method,
        path,
        headers,
        agent: false,
        ...(from === undefined ? {} : { localAddress: from }),
      },
      (answer) => {
        let text = '';
        let done: Promise<unknown> | undefined;
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
          if (meanwhile !== undefined) done ??= take(meanwhile, world);
          if (leavesAfter !== undefined && text.includes(leavesAfter)) request.destroy();
        });
        answer.on('error', () => undefined);
        answer.on('close', () => {
          const { statusCode: status = 0, headers: got, complete } = answer;
          Promise.resolve(done).then(() => resolve({ status, headers: got, body: text, complete }), reject);
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends bytes and reads until the peer has said its last answer. */
function sendRaw({ host, port }: World, { raw, answers = 1 }: Raw): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, host, () => socket.write(raw, 'latin1'));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const begun = [...text.matchAll(/HTTP\/1\.1 \d{3}[^]*?\r\n\r\n/g)];
      if (begun.length < answers) return;
      socket.destroy();
      const last = begun[answers - 1] as RegExpExecArray;
      const lines = last[0].trimEnd().split('\r\n');
      const headers = Object.fromEntries(
        lines
          .slice(1)
          .map((line) => [
            line.slice(0, line.indexOf(':')).toLowerCase(),
            line.slice(line.indexOf(':') + 1).trim(),
          ]),
      );
      const body = text.slice(last.index + last[0].length);
      resolve({ status: Number(lines[0]?.split(' ')[1]), headers, body, complete: true });
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`the connection ended after ${JSON.stringify(text)}`)));
  });
}
