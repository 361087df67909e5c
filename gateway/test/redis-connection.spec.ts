import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { RedisConnection } from '../embedded/redis-connection';

/** A server that answers each command with the next of its replies; undefined = silence. */
async function fakeRedis(replies: Array<string | undefined>) {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const command of chunk.toString().split(/(?=^\*\d)/m)) {
        commands.push(
          command
            .split('\r\n')
            .filter((word) => word !== '' && !/^[*$]\d/.test(word))
            .join(' '),
        );
        const reply = replies.shift();
        if (reply !== undefined) socket.write(reply);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    stop: () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    },
  };
}

const account = (port: number) => ({
  host: '127.0.0.1',
  port,
  username: 'u',
  password: 'p',
  database: 2,
  timeoutMs: 100,
});

describe('RedisConnection', () => {
  it('logs in, selects its database, and matches replies that come in pieces to commands in order', async () => {
    const redis = await fakeRedis(['+OK\r\n', '+OK\r\n', ':1', '2\r\n:13\r\n-ERR no\r\n', undefined]);
    const connection = new RedisConnection(account(redis.port));
    const answers = await Promise.allSettled([
      connection.command('INCR', 'a'),
      connection.command('INCR', 'b'),
      connection.command('INCR', 'c'),
    ]);
    expect(answers).toEqual([
      { status: 'fulfilled', value: 12 },
      { status: 'fulfilled', value: 13 },
      { status: 'rejected', reason: new Error('ERR no') },
    ]);
    expect(redis.commands).toEqual(['AUTH u p', 'SELECT 2', 'INCR a', 'INCR b', 'INCR c']);
    connection.close();
    redis.stop();
  });

  it('fails when the log-in is refused, when Redis is silent, and at once while it is away', async () => {
    const refusing = await fakeRedis(['-WRONGPASS\r\n']);
    const first = new RedisConnection(account(refusing.port));
    await expect(first.command('INCR', 'a')).rejects.toThrow('WRONGPASS');
    refusing.stop();
    const silent = await fakeRedis(['+OK\r\n', '+OK\r\n', undefined]);
    const second = new RedisConnection(account(silent.port));
    const started = performance.now();
    await expect(second.command('INCR', 'a')).rejects.toThrow('Redis closed the connection');
    expect(performance.now() - started).toBeGreaterThanOrEqual(95);
    await expect(second.command('INCR', 'a')).rejects.toThrow('Redis is away');
    silent.stop();
  });

  it('connects again when it was cut off', async () => {
    const redis = await fakeRedis(['+OK\r\n', '+OK\r\n', ':1\r\n', '+OK\r\n', '+OK\r\n', ':2\r\n']);
    const connection = new RedisConnection(account(redis.port));
    expect(await connection.command('INCR', 'a')).toBe(1);
    redis.cut();
    const deadline = performance.now() + 3000;
    let answer: number | undefined;
    while (answer === undefined && performance.now() < deadline) {
      answer = await connection.command('INCR', 'a').catch(() => undefined);
      if (answer === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(answer).toBe(2);
    connection.close();
    redis.stop();
  });
});
