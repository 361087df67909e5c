import { Clock, Ids } from '@sociograph/kernel';
import { ToldAudit } from '@sociograph/testing';
import { InMemoryViewStore } from '../infrastructure/in-memory';
import { InMemoryJobStore } from '../infrastructure/in-memory-jobs';
import { Duties, KEPT_DAYS, NIGHTLY_HOUR } from './duties';
import type { Job } from './jobs';
import { RecountDesk } from './recount-desk';

const HOUR_MS = 3_600_000;
const MIDNIGHT = Date.UTC(2026, 10, 21);

class SetClock extends Clock {
  now = MIDNIGHT + NIGHTLY_HOUR * HOUR_MS;

  nowMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return this.now;
  }
}

class CountingIds extends Ids {
  private given = 0;

  next(): string {
    return `id-${++this.given}`;
  }
}

describe('RecountDesk', () => {
  const setUp = (): { desk: RecountDesk; jobs: InMemoryJobStore; audit: ToldAudit } => {
    const audit = new ToldAudit();
    const jobs = new InMemoryJobStore();
    const store = new InMemoryViewStore();
    store.summaries.set('demo.vk', {} as never);
    store.summaries.set('demo.ok', {} as never);
    return { desk: new RecountDesk(jobs, store, audit, new SetClock(), new CountingIds()), jobs, audit };
  };

  it('keeps a job for the writer, the same one while it is open', async () => {
    const { desk, jobs } = setUp();
    const job = await desk.ask('demo', 'vk', 'ada');
    expect(job).toEqual({
      id: 'id-1',
      kind: 'recount',
      workspaceId: 'demo',
      network: 'vk',
      state: 'waiting',
      requestedAt: MIDNIGHT + NIGHTLY_HOUR * HOUR_MS,
    });
    expect(await jobs.find('id-1')).toEqual(job);
    expect((await desk.ask('demo', 'vk', 'ada')).id).toBe('id-1');
    await jobs.put({ ...job, state: 'running' });
    expect((await desk.ask('demo', 'vk', 'ada')).id).toBe('id-1');
    expect((await desk.ask('demo', 'ok', 'ada')).id).toBe('id-2');
    await jobs.put({ ...job, state: 'done' });
    expect((await desk.ask('demo', 'vk', 'ada')).id).toBe('id-3');
  });

  it('is told to the audit trail once, before it waits', async () => {
    const { desk, jobs, audit } = setUp();
    await desk.ask('demo', 'vk', 'ada');
    await desk.ask('demo', 'vk', 'bob');
    expect(audit.told).toEqual(['recount.create recount/id-1 ada']);
    audit.away = new Error('away');
    await expect(desk.ask('demo', 'ok', 'ada')).rejects.toThrow('away');
    expect(jobs.jobs.size).toBe(1);
  });

  it('knows no graph without rows', async () => {
    const { desk, jobs } = setUp();
    await expect(desk.ask('other', 'vk', 'ada')).rejects.toMatchObject({ code: 'VIEWS.GRAPH_UNKNOWN' });
    expect(jobs.jobs.size).toBe(0);
  });

  it('shows a recount to its workspace under its network only', async () => {
    const { desk, jobs } = setUp();
    const { id } = await desk.ask('demo', 'vk', 'ada');
    expect((await desk.find('demo', 'vk', id)).id).toBe(id);
    await jobs.create({ ...(await desk.find('demo', 'vk', id)), id: 'rebuild', kind: 'rebuild' });
    for (const [workspace, network, wanted] of [
      ['other', 'vk', id],
      ['demo', 'ok', id],
      ['demo', 'vk', 'none'],
      ['demo', 'vk', 'rebuild'],
    ] as const)
      await expect(desk.find(workspace, network, wanted)).rejects.toMatchObject({
        code: 'VIEWS.RECOUNT_UNKNOWN',
        kind: 'not-found',
      });
  });
});

describe('Duties', () => {
  const setUp = () => {
    const jobs = new InMemoryJobStore();
    const clock = new SetClock();
    const done: string[] = [];
    const failures: unknown[] = [];
    const finished: Job[] = [];
    const work = {
      mayWork: (): boolean => true,
      carryOut: async ({ id }: Job): Promise<Partial<Job>> => {
        done.push(id);
        return { recounts: [] };
      },
      failed: (error: unknown): void => void failures.push(error),
      finished: (job: Job): void => void finished.push(job),
    };
    const look = (duties: Duties, signal = new AbortController().signal): Promise<void> =>
      duties.look(signal);
    return { jobs, clock, done, failures, finished, work, look, duties: new Duties(jobs, clock, work) };
  };
  const job = (id: string, requestedAt: number): Job => ({
    id,
    kind: 'recount',
    state: 'waiting',
    requestedAt,
  });

  it('recounts everything once a night, whoever writes, from three o’clock UTC on', async () => {
    const { duties, jobs, clock, done, look, work } = setUp();
    await look(duties);
    await look(duties);
    expect(done).toEqual(['nightly-2026-11-21']);
    expect(await jobs.find('nightly-2026-11-21')).toEqual({
      id: 'nightly-2026-11-21',
      kind: 'recount',
      state: 'done',
      attempts: 1,
      requestedAt: clock.now,
      finishedAt: clock.now,
      recounts: [],
    });
    await look(new Duties(jobs, clock, work));
    clock.now += 24 * HOUR_MS - 1;
    await look(duties);
    expect(done).toHaveLength(1);
    clock.now += 1;
    await look(duties);
    expect(done).toEqual(['nightly-2026-11-21', 'nightly-2026-11-22']);
  });

  it('forgets jobs after thirty days', async () => {
    const { duties, jobs, clock, look } = setUp();
    await jobs.create({ ...job('old', clock.now - KEPT_DAYS * 24 * HOUR_MS - 1), state: 'done' });
    await jobs.create({ ...job('kept', clock.now - KEPT_DAYS * 24 * HOUR_MS), state: 'done' });
    await look(duties);
    expect([...jobs.jobs.keys()]).toEqual(['kept', 'nightly-2026-11-21']);
  });

  it('does the oldest first, and begins what a predecessor left running', async () => {
    const { duties, jobs, clock, done, look } = setUp();
    await jobs.create(job('b', clock.now - 1));
    await jobs.create({ ...job('a', clock.now - 2), state: 'running' });
    await look(duties);
    await look(duties);
    expect(done).toEqual(['a', 'b']);
  });

  it('gives a job up in which three writers ended', async () => {
    const { duties, jobs, clock, done, failures, finished, look } = setUp();
    await jobs.create({ ...job('a', clock.now - 2), state: 'running', attempts: 3 });
    await jobs.create({ ...job('b', clock.now - 1), state: 'running', attempts: 2 });
    await look(duties);
    await look(duties);
    expect(done).toEqual(['b']);
    expect(finished).toMatchObject([
      { id: 'a', state: 'failed', fault: 'VIEWS.JOB_GAVE_UP', finishedAt: clock.now },
      { id: 'b', state: 'done', attempts: 3 },
    ]);
    expect(failures).toMatchObject([{ code: 'VIEWS.JOB_GAVE_UP', kind: 'bug' }]);
  });

  it('does nothing while it may not write', async () => {
    const { duties, jobs, done, look, work } = setUp();
    work.mayWork = () => false;
    await jobs.create(job('a', 1));
    await look(duties);
    expect([done, jobs.jobs.size]).toEqual([[], 1]);
  });

  it('notes what failed, and leaves a job open whose term ended, without counting an attempt', async () => {
    const { duties, jobs, clock, finished, failures, look, work } = setUp();
    const term = new AbortController();
    work.carryOut = async () => {
      throw new Error('broken');
    };
    await jobs.create(job('a', clock.now - 1));
    await look(duties);
    expect(await jobs.find('a')).toMatchObject({ state: 'failed', fault: 'INTERNAL' });
    expect([finished.map(({ id }) => id), failures]).toEqual([['a'], [new Error('broken')]]);
    await jobs.create(job('b', clock.now - 1));
    term.abort();
    await look(duties, term.signal);
    expect(await jobs.find('b')).toMatchObject({ state: 'running', attempts: 0 });
    expect(finished).toHaveLength(1);
  });

  it.each([
    ['broke off', true],
    ['came to an end', false],
  ])('neither keeps nor tells what %s when the lock was gone, and counts an attempt', async (_, throws) => {
    const { duties, jobs, clock, finished, failures, look, work } = setUp();
    work.carryOut = async () => {
      work.mayWork = () => false;
      if (throws) throw new Error('broken');
      return { recounts: [] };
    };
    await jobs.create(job('a', clock.now - 1));
    await look(duties);
    expect(await jobs.find('a')).toEqual({ ...job('a', clock.now - 1), state: 'running', attempts: 1 });
    expect([finished, failures]).toEqual([[], []]);
  });
});
