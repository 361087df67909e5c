import { Bench, errorOf } from './stand';
import type { Reply } from './stand';

describe('the network in front of the simulator', () => {
  it('delays worked answers by the service time, refusals and probes by the path alone', async () => {
    const bench = await Bench.start('--delay', '80', '--jitter', '10');
    const replies = await Promise.all(Array.from({ length: 4 }, () => bench.call('utils.getServerTime', {})));
    const refused = replies.filter((reply) => 'error' in reply.json);
    const served = replies.filter((reply) => !('error' in reply.json));
    expect(refused).toHaveLength(1);
    expect(Math.min(...served.map(({ ms }) => ms))).toBeGreaterThanOrEqual(79);
    expect((refused[0] as Reply).ms).toBeLessThan(79);
    await bench.close();
  });

  it('delays replies by a jitter of their own, which takes no part in the limits', async () => {
    const bench = await Bench.start('--reply-jitter', '200');
    const replies = await Promise.all(Array.from({ length: 9 }, () => bench.call('utils.getServerTime', {})));
    expect(replies.filter((reply) => 'error' in reply.json)).toHaveLength(6);
    expect(Math.max(...replies.map(({ ms }) => ms))).toBeGreaterThan(100);
    const probes = await Promise.all(
      Array.from({ length: 9 }, () => bench.send('/nothing/here', { method: 'HEAD' })),
    );
    expect(new Set(probes.map(({ status }) => status))).toEqual(new Set([404]));
    expect(Math.max(...probes.map(({ ms }) => ms))).toBeGreaterThan(100);
    expect((await bench.send('/stats')).json['totals']).toMatchObject({ served: 3, refused: 6 });
    await bench.close();
  });

  it('changes in mid-run, and names what it cannot read', async () => {
    const bench = await Bench.start();
    const changed = await bench.send('/network?jitter=100&delay=50-60', { method: 'POST' });
    expect(changed.json).toMatchObject({ jitterMs: 100, replyJitterMs: 0, delayMs: [50, 60] });
    expect((await bench.call('utils.getServerTime', {})).ms).toBeGreaterThanOrEqual(49);
    const wrong = await bench.send('/network?jitter=much', { method: 'POST' });
    expect([wrong.status, wrong.json]).toEqual([400, { error: 'jitter must be milliseconds.' }]);
    await bench.close();
  });

  it('answers one key with a planted fault until it is taken away; the other keys do not notice', async () => {
    const bench = await Bench.start();
    const plant = (answer: string): Promise<Reply> =>
      bench.send(`/faults?key=user-1&answer=${answer}`, { method: 'POST' });
    await plant('5');
    expect(errorOf(await bench.call('utils.getServerTime', {}))).toEqual([
      5,
      'User authorization failed: invalid access_token (4).',
    ]);
    expect((await bench.call('utils.getServerTime', {}, 1)).json).toHaveProperty('response');
    await plant('503');
    expect((await bench.call('utils.getServerTime', {})).status).toBe(503);
    await plant('reset');
    await expect(bench.call('utils.getServerTime', {})).rejects.toThrow();
    await bench.reset();
    expect((await bench.call('utils.getServerTime', {})).json).toHaveProperty('response');
    expect((await plant('4')).status).toBe(400);
    expect((await bench.send('/faults?key=nobody&answer=5', { method: 'POST' })).json).toEqual({
      error: 'key must be the name of a key.',
    });
    await bench.close();
  });

  it('aligns fixed windows to the clock of its Date header', async () => {
    const bench = await Bench.start('--window', 'fixed-clock', '--clock-skew', '400');
    const clock = async (): Promise<number> => Number((await bench.page('/clock'))['clock']);
    /** Puts the clock forward to so many milliseconds after a whole second. */
    const forwardTo = async (ms: number): Promise<void> => {
      const advance = (1000 + ms - ((await clock()) % 1000)) % 1000;
      await bench.page(`/clock?advance=${advance}`, 'POST');
    };
    /** The Date headers of calls up to the first that is refused, whose Date is the last. */
    const untilRefused = async (): Promise<number[]> => {
      const dates: number[] = [];
      for (let refused = false; !refused;) {
        const { headers, json } = await bench.call('utils.getServerTime', {});
        dates.push(Date.parse(String(headers.date)));
        refused = 'error' in json;
      }
      return dates;
    };
    const inTheLastSecond = (dates: number[]): number[] => dates.filter((date) => date === dates.at(-1));

    const apart = (await clock()) - Date.now();
    expect(Math.abs(apart - 400)).toBeLessThan(200);
    // Without the skew its Date would be of the second before.
    await forwardTo(300);
    const before = await clock();
    const first = await untilRefused();
    expect(first[0]).toBeGreaterThan(before - 1000);
    expect(first.at(-1)).toBeLessThanOrEqual(await clock());
    // Three served and one refused in a second, and in the next at once: no window slides, none begins with a call.
    expect(inTheLastSecond(first)).toHaveLength(4);
    await forwardTo(0);
    const second = await untilRefused();
    expect(inTheLastSecond(second)).toHaveLength(4);
    expect((second.at(-1) ?? 0) - (first.at(-1) ?? 0)).toBeGreaterThanOrEqual(1000);
    await bench.close();
  });
});
