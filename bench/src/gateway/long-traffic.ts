import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';

const MEGABYTE = 1024 * 1024;
const UPLOAD = 10 * MEGABYTE;
const STREAMS = 500;
const STREAM_MS = 5000;

export interface Upload {
  /** What the gateway held more at its peak than before, for each of the uploads. */
  moreMegabytes: number[];
}

/** 10 MB through the upload route, one after the other; the memory is what Linux says of the gateway's process. */
export async function uploads(port: number, pid: number, token: string, times: number): Promise<Upload> {
  const moreMegabytes: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const before = memory(pid, 'VmRSS');
    // From now on the peak is counted anew.
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    const { status, body } = await upload(port, token);
    if (status !== 200 || body !== JSON.stringify({ bytes: UPLOAD }))
      throw new Error(`The upload was answered ${status} ${body}`);
    moreMegabytes.push((memory(pid, 'VmHWM') - before) / MEGABYTE);
  }
  return { moreMegabytes };
}

function upload(port: number, token: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-length': String(UPLOAD) };
    const request = http.request(
      { host: '127.0.0.1', port, method: 'POST', path: '/v1/keys/bulk', headers },
      (answer) => {
        let body = '';
        answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      },
    );
    request.on('error', reject);
    const piece = Buffer.alloc(64 * 1024, 'x');
    let left = UPLOAD / piece.length;
    const go = (): void => {
      while (left > 0) {
        left -= 1;
        if (!request.write(piece)) return void request.once('drain', go);
      }
      request.end();
    };
    go();
  });
}

export interface Streams {
  opened: number;
  /** Events that came in all, and those that were sent. */
  events: number;
  expected: number;
  broken: number;
  moreMegabytes: number;
}

/** 500 clients of events at once, each told one a second. */
export async function streams(port: number, pid: number, token: string): Promise<Streams> {
  const before = memory(pid, 'VmRSS');
  const texts = Array.from({ length: STREAMS }, () => '');
  let broken = 0;
  let isOver = false;
  const requests = texts.map((_, n) => {
    const request = http.get(
      {
        ...{ host: '127.0.0.1', port, path: '/v1/events', agent: false },
        headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
      },
      (answer) => {
        answer.on('data', (chunk: Buffer) => (texts[n] += chunk.toString()));
        answer.on('error', () => undefined);
        answer.on('close', () => (broken += isOver ? 0 : 1));
      },
    );
    return request.on('error', () => (broken += isOver ? 0 : 1));
  });
  const opened = (): number => texts.filter((text) => text.startsWith(': hello')).length;
  for (const deadline = Date.now() + 10_000; opened() < STREAMS && Date.now() < deadline;)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const count = (): number => texts.reduce((sum, text) => sum + text.split('data:').length - 1, 0);
  const first = count();
  await new Promise((resolve) => setTimeout(resolve, STREAM_MS));
  const events = count() - first;
  const moreMegabytes = (memory(pid, 'VmRSS') - before) / MEGABYTE;
  isOver = true;
  const all = opened();
  for (const request of requests) request.destroy();
  return { opened: all, events, expected: (STREAMS * STREAM_MS) / 1000, broken, moreMegabytes };
}

/** Bytes of a process. */
function memory(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  )?.[1];
  return Number(kilobytes) * 1024;
}
