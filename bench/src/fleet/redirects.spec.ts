import { connect, createServer, type Server, Socket } from 'node:net';
import { redirected, redirectsIn, redirectWord } from './redirects';

describe('redirects of connections', () => {
  const redirects = redirectsIn('5432=41001,9092=41002');

  it('are written and read as pairs of ports', () => {
    expect([...redirects]).toEqual([
      [5432, 41001],
      [9092, 41002],
    ]);
    expect(redirectWord(redirects)).toBe('5432=41001,9092=41002');
    expect(redirectsIn('').size).toBe(0);
    expect(() => redirectsIn('5432')).toThrow('"5432" is no pair of ports');
  });

  it.each<[string, unknown[], unknown[]]>([
    ['a port', [5432], [41001]],
    ['a port and a host', [5432, '127.0.0.1'], [41001, '127.0.0.1']],
    ['a port as text', ['9092', 'localhost'], [41002, 'localhost']],
    ['options', [{ port: 5432, host: '::1' }], [{ port: 41001, host: '::1' }]],
    ['a port of nobody', [6379, 'localhost'], [6379, 'localhost']],
    ['another machine', [{ port: 5432, host: '10.0.0.1' }], [{ port: 5432, host: '10.0.0.1' }]],
    ['a path', [{ path: '/run/x.sock' }], [{ path: '/run/x.sock' }]],
    ['a path as text', ['/run/x.sock'], ['/run/x.sock']],
  ])('change the arguments of a connection to %s', (_, given, expected) => {
    expect(redirected(given, redirects)).toEqual(expected);
  });

  it('leave the options of the caller as they are', () => {
    const options = { port: 5432 };
    expect(redirected([options], redirects)).toEqual([{ port: 41001 }]);
    expect(options).toEqual({ port: 5432 });
  });

  describe('in Node', () => {
    const connectOf = Socket.prototype.connect;
    let server: Server;
    afterEach((done) => {
      Socket.prototype.connect = connectOf;
      server.close(() => done());
    });

    it('lead net.connect to the other port', async () => {
      server = createServer((socket) => socket.end('proxy'));
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      const { port } = server.address() as { port: number };
      const elsewhere = new Map([[1, port]]);
      const there = connectOf as (this: Socket, ...args: unknown[]) => Socket;
      Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
        return there.apply(this, redirected(args, elsewhere));
      } as typeof connectOf;
      for (const socket of [connect({ port: 1, host: '127.0.0.1' }), connect(1, '127.0.0.1')]) {
        const heard = await new Promise((resolve, reject) => {
          socket.once('data', (chunk) => resolve(chunk.toString()));
          socket.once('error', reject);
        });
        expect(heard).toBe('proxy');
      }
    });
  });
});
