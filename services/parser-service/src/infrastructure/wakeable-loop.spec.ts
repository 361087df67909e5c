import { WakeableLoop } from './wakeable-loop';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function aLoop(run: () => Promise<unknown>) {
  const warnings: object[] = [];
  const counted: string[] = [];
  const logger = { warn: (fields: object) => void warnings.push(fields) };
  const errors = { inc: ({ work }: { work: string }) => void counted.push(work) };
  const rests = { everyMs: () => 60_000, restMs: 0 };
  return {
    loop: new WakeableLoop({ name: 'test', run, ...rests, logger: logger as never, errors }),
    warnings,
    counted,
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 2_000; !condition();) {
    if (Date.now() > deadline) throw new Error('it never happens');
    await tick();
  }
}

describe('a wakeable loop', () => {
  it('runs at its start and whenever it is woken', async () => {
    let runs = 0;
    const { loop } = aLoop(async () => (runs += 1));
    loop.start();
    await until(() => runs === 1);
    loop.wake();
    await until(() => runs === 2);
    await loop.stop();
    loop.wake();
    await tick();
    expect(runs).toBe(2);
  });

  it('does not forget a wake that comes during a run, and never runs twice at a time', async () => {
    let runs = 0;
    let release = (): void => undefined;
    const { loop } = aLoop(() => {
      runs += 1;
      return new Promise<void>((resolve) => (release = resolve));
    });
    loop.start();
    loop.wake();
    loop.wake();
    await tick();
    expect(runs).toBe(1);
    release();
    await until(() => runs === 2);
    const stopped = loop.stop();
    release();
    await stopped;
    expect(runs).toBe(2);
  });

  it('goes on after a run that failed', async () => {
    let runs = 0;
    const { loop, warnings, counted } = aLoop(async () => {
      runs += 1;
      throw new Error('away');
    });
    loop.start();
    await until(() => warnings.length === 1);
    loop.wake();
    await until(() => runs === 2);
    await loop.stop();
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatchObject({ loop: 'test' });
    expect(counted).toEqual(['test', 'test']);
  });
});
