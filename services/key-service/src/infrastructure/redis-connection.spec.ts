import { forgetfulness } from './redis-connection';

function redisWith(settings: Record<string, string | Error>) {
  return {
    config: async (_get: string, name: string) => {
      const value = settings[name];
      if (value instanceof Error) throw value;
      return value === undefined ? [] : [name, value];
    },
  } as never;
}

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

describe('a Redis that may remember what was granted', () => {
  it('appends to a file and evicts nothing', async () => {
    const good = { 'maxmemory-policy': 'noeviction', appendonly: 'yes' };
    expect(await forgetfulness(redisWith(good))).toBeUndefined();
    expect(await forgetfulness(redisWith({ ...good, appendonly: 'no' }))).toBe(
      'redis-pool forgets at a restart (appendonly no): set it to yes.',
    );
    expect(await forgetfulness(redisWith({ ...good, 'maxmemory-policy': 'allkeys-lru' }))).toBe(
      'redis-pool evicts keys (maxmemory-policy allkeys-lru): set it to noeviction.',
    );
  });

  it('is believed where its settings cannot be asked for', async () => {
    const refused = reply("NOPERM this user has no permissions to run the 'config|get' command");
    expect(
      await forgetfulness(redisWith({ 'maxmemory-policy': refused, appendonly: refused })),
    ).toBeUndefined();
    const unknown = reply("ERR unknown command 'CONFIG'");
    expect(await forgetfulness(redisWith({ 'maxmemory-policy': unknown, appendonly: 'no' }))).toMatch(
      /^redis-pool forgets/,
    );
    expect(await forgetfulness(redisWith({}))).toBeUndefined();
  });

  it('is not believed while it cannot be reached', async () => {
    await expect(forgetfulness(redisWith({ 'maxmemory-policy': new Error('closed') }))).rejects.toThrow(
      'closed',
    );
    await expect(forgetfulness(redisWith({ appendonly: reply('LOADING Redis is loading') }))).rejects.toThrow(
      'LOADING',
    );
  });
});
