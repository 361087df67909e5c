import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { eventually } from '@sociograph/testing';
import { WarmConnections } from './warm-connections';

/** Time passes by hand, except between sweeps, which come twice a second. */
describe('warm connections', () => {
  let server: Server;
  let opened: number;
  let peers: Set<Socket>;
  let now: number;
  let asked: number;
  let connections: WarmConnections;

  beforeEach(async () => {
    opened = 0;
    now = 0;
    asked = 0;
    peers = new Set();
    server = createServer((socket) => {
      opened += 1;
      peers.add(socket);
      socket.on('error', () => undefined).on('close', () => peers.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const monotonicMs = (): number => {
      asked += 1;
      return now;
    };
    connections = new WarmConnections({ host: '127.0.0.1', port, tls: false, monotonicMs });
  });

  afterEach(async () => {
    connections.destroy();
    for (const peer of peers) peer.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const soon = (check: () => void) => eventually(check, { timeoutMs: 5_000, everyMs: 10 });

  async function take(): Promise<Socket> {
    let taken: Socket | undefined;
    await soon(() => {
      taken = connections.take();
      expect(taken).toBeDefined();
    });
    return taken as Socket;
  }

  it('are opened before they are needed, without Nagle`s delay', async () => {
    connections.warm(2);
    expect(connections.take()).toBeUndefined();
    await soon(() => expect(opened).toBe(2));
    const [first, second] = [await take(), await take()];
    expect(first).not.toBe(second);
    expect(connections.take()).toBeUndefined();
  });

  it('are used in turn: the one that is free for longest first', async () => {
    connections.warm(2);
    const [first, second] = [await take(), await take()];
    first.emit('free');
    second.emit('free');
    expect(connections.take()).toBe(first);
    first.emit('free');
    expect(connections.take()).toBe(second);
  });

  it('are one for each request that is expected', async () => {
    connections.warm(1);
    await soon(() => expect(opened).toBe(1));
    connections.expect();
    connections.expect();
    connections.expect();
    await soon(() => expect(opened).toBe(3));
    for (let i = 0; i < 3; i += 1) connections.expected();
    connections.expect();
    // The server takes connections in the order in which they were begun.
    const after = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await new Promise((resolve) => after.once('connect', resolve));
    await soon(() => expect(opened).toBeGreaterThan(3));
    after.destroy();
    expect(opened).toBe(4);
  });

  it('are not used when they are idle for more than 4 s', async () => {
    connections.warm(1);
    const socket = await take();
    socket.emit('free');
    now = 4_000;
    expect(connections.take()).toBe(socket);
    socket.emit('free');
    now = 8_001;
    expect(connections.take()).toBeUndefined();
    expect(socket.destroyed).toBe(true);
  });

  it('are replaced when they are old while there is work, and left away after a minute without', async () => {
    connections.warm(2);
    await soon(() => expect(opened).toBe(2));
    now = 4_001;
    await soon(() => expect(opened).toBe(4));
    await soon(() => expect(peers.size).toBe(2));
    now = 60_002;
    await soon(() => expect(peers.size).toBe(0));
    connections.warm(0);
    await soon(() => expect(peers.size).toBe(2));
  });

  it('that the other side ended are forgotten', async () => {
    connections.warm(1);
    await soon(() => expect(peers.size).toBe(1));
    for (const peer of peers) peer.destroy();
    await soon(() => expect(opened).toBe(2));
    expect((await take()).destroyed).toBe(false);
  });

  it('stay as many as were used at once lately, and two more', async () => {
    connections.warm(1);
    for (let i = 0; i < 4; i += 1) connections.expect();
    const taken = [await take(), await take(), await take(), await take()];
    for (const socket of taken) {
      connections.expected();
      socket.emit('free');
    }
    await soon(() => expect(peers.size).toBe(6));
    now = 3_000;
    // Two sweeps: what the first one ends is gone at the second.
    const before = asked;
    await soon(() => expect(asked).toBeGreaterThanOrEqual(before + 2));
    expect([peers.size, opened]).toEqual([6, 6]);
    now = 12_000;
    await soon(() => expect(peers.size).toBe(1));
  });

  it('are all closed at the end, also one that comes back later', async () => {
    connections.warm(2);
    const socket = await take();
    connections.destroy();
    socket.emit('free');
    await soon(() => expect(peers.size).toBe(0));
    expect(connections.take()).toBeUndefined();
  });
});
