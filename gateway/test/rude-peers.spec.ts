import net from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { eventually } from '@sociograph/testing';
import { aDocument, aRoute, GatewayBench } from './bench';

jest.setTimeout(60_000);

const CONNECT = 'CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n';
const wait = { timeoutMs: 20_000, everyMs: 10 };

describe('a gateway among peers that keep no rules', () => {
  const open: Socket[] = [];
  const heads: string[] = [];
  let upstream: Server;
  let bench: GatewayBench;
  beforeAll(async () => {
    // Answers each request as soon as its head is there, and reads no body.
    upstream = net.createServer((socket) => {
      open.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        heads.push(chunk.toString('latin1').split(' ', 1)[0] as string);
        if (heads.at(-1) === 'POST') socket.pause();
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const document = aDocument(
      [aRoute('all', ['/'])],
      {},
      { retries: 0, read_timeout: 20_000, connect_timeout: 20_000 },
    );
    bench = await new GatewayBench(document, [(upstream.address() as AddressInfo).port]).start();
  });
  afterAll(async () => {
    for (const socket of open) socket.destroy();
    await bench.stop();
    await new Promise((resolve) => upstream.close(resolve));
  });

  const connected = async (allowHalfOpen: boolean): Promise<Socket> => {
    const socket = net.connect({ port: bench.port, host: '127.0.0.1', allowHalfOpen });
    open.push(socket);
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('connect', resolve));
    return socket;
  };

  it('outlives clients that ask for a tunnel and reset the connection at once', async () => {
    for (let n = 0; n < 20; n += 1) {
      const socket = await connected(false);
      socket.write(CONNECT);
      socket.resetAndDestroy();
    }
    await eventually(async () => expect((await bench.ask({})).body).toBe('ok'), wait);
  });

  it('lets go of a client that asked for a tunnel and closes nothing itself', async () => {
    const socket = await connected(true);
    let answer = '';
    let closed = false;
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('close', () => (closed = true));
    socket.write(CONNECT);
    await eventually(() => expect(answer).toContain('405 Not Allowed'), wait);
    // Bytes to a side that is gone are answered with a reset.
    await eventually(() => {
      if (!socket.destroyed) socket.write('x');
      expect(closed).toBe(true);
    }, wait);
  });

  it('asks nobody behind a body that the upstream does not read', async () => {
    const body = Buffer.alloc(32 * 1024 * 1024);
    expect(await bench.ask({ method: 'POST', body })).toMatchObject({ status: 200, body: 'ok' });
    expect(await bench.ask({})).toMatchObject({ status: 200, body: 'ok' });
    expect(heads.slice(-2)).toEqual(['POST', 'GET']);
  });
});
