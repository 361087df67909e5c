import { type AddressInfo, createServer, type Server } from 'node:net';
import { askRedis, infoOf } from './ask-redis';

describe('a command to Redis', () => {
  let server: Server;
  let asked: string;
  /** What is sent, piece by piece. */
  let pieces: string[];
  const url = (): string => `redis://admin:p%40w@127.0.0.1:${(server.address() as AddressInfo).port}/0`;

  beforeEach(async () => {
    asked = '';
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        asked += chunk.toString();
        const send = (): void => {
          const piece = pieces.shift();
          if (piece !== undefined) socket.write(piece, () => setImmediate(send));
        };
        send();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it('is sent after the login of the address, and answered with its own reply', async () => {
    pieces = ['+OK\r\n', '+PO', 'NG\r\n'];
    expect(await askRedis(url(), ['PING'])).toBe('+PONG\r\n');
    expect(asked).toBe('*3\r\n$4\r\nAUTH\r\n$5\r\nadmin\r\n$3\r\np@w\r\n*1\r\n$4\r\nPING\r\n');
  });

  it('waits for the whole of a long text', async () => {
    pieces = ['+OK\r\n$9', '\r\na:1\r\n', 'b:22', '\r', '\n'];
    expect(await infoOf(url(), 'memory')).toBe('a:1\r\nb:22\r\n');
  });

  it('is answered with nothing when nobody is there', async () => {
    const address = url();
    await new Promise((resolve) => server.close(resolve));
    expect(await askRedis(address, ['PING'])).toBe('');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
});
