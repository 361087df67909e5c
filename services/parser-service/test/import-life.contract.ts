import type { Act } from '../src/domain/audit';
import { RETRIED_CAUSES } from '../src/domain/retry';
import type { CallLedger, CallResult, ImportEvents, Imports } from '../src/domain/ports';
import { anImport } from './builders';

export interface LifeUnderTest {
  /** `most`: running imports of a workspace. */
  imports(most?: number): Imports;
  ledger: CallLedger;
  events: ImportEvents;
  id(): string;
  /** Actions that the audit trail was told of an import, in order. */
  audited(importId: string): Promise<string[]>;
  /** Makes the last event look so much older. */
  ageEvents(importId: string, ms: number): Promise<void>;
}

const NOTHING: CallResult = {
  ...{ done: [], gaps: [], long: [], more: [], again: [], found: [] },
  ...{ positions: {}, friendshipObservations: 0 },
};

/** What every adapter of Imports and ImportEvents does about an import's life; run on memory and on PostgreSQL. */
export function describeImportLife(name: string, setUp: () => Promise<LifeUnderTest>): void {
  describe(`the life of an import in ${name}`, () => {
    let under: LifeUnderTest;
    let imports: Imports;
    let workspaceId: string;
    let importId: string;

    beforeEach(async () => {
      under = await setUp();
      imports = under.imports();
      importId = under.id();
      workspaceId = `w-${importId}`.slice(0, 60);
    });

    const act = (action: string): Act => ({
      actor: { kind: 'person', id: 'ada' },
      action,
      auditId: under.id(),
      at: 1_000,
      correlationId: 'c-1',
    });
    const start = (...seeds: string[]): Promise<void> =>
      imports.add(anImport({ id: importId, workspaceId, seeds }), act('import.create'));
    const snapshot = async () => (await imports.find(workspaceId, importId))?.job.snapshot;
    const call = async (kind: 'lists' | 'profiles', size: number): Promise<string> => {
      const callId = under.id();
      const lane = { workspaceId, network: 'toy' };
      const calls = [{ callId, pack: { importId, kind, size } }];
      await under.ledger.dispatch(lane, () => ({ calls, closed: [] }));
      return callId;
    };
    const finish = async (callId: string, result: Partial<CallResult>): Promise<boolean> => {
      await under.ledger.begin(callId);
      return under.ledger.finish(callId, { ...NOTHING, ...result });
    };
    const gap = (person: string, cause: 'gave-up' | 'private') => ({ person, cause, detail: null });
    const retry = (people?: readonly string[]) =>
      imports.retry(
        workspaceId,
        importId,
        RETRIED_CAUSES,
        (job, reopened) => job.retry(reopened, 5),
        act('import.retry'),
        people,
      );
    /** Two seeds: every profile and one list came, the other list was given up. */
    const endWithGap = async (): Promise<void> => {
      await start('1', '2');
      await finish(await call('profiles', 5), { done: ['1'], gaps: [gap('2', 'private')] });
      await finish(await call('lists', 5), { done: ['1'], gaps: [gap('2', 'gave-up')] });
    };

    it('is among those of all workspaces that run while it does', async () => {
      const runs = async (): Promise<unknown[]> =>
        (await imports.running()).filter((each) => each.importId === importId);
      await start('1');
      expect(await runs()).toEqual([{ workspaceId, importId }]);
      await imports.change(workspaceId, importId, (job) => job.step('pause', 2));
      expect(await runs()).toEqual([]);
    });

    it('opens what failed again, and counts it done once', async () => {
      await endWithGap();
      expect((await snapshot())?.state).toBe('settling');
      expect((await retry())?.job.snapshot).toMatchObject({
        state: 'running',
        counters: { peopleGaps: 1, peopleRetrying: 0, listsDone: 2, listsGaps: 0, listsRetrying: 1 },
      });
      const again = await call('lists', 5);
      expect(await under.ledger.begin(again)).toEqual([
        expect.objectContaining({ person: '2', attempts: 1 }),
      ]);
      await under.ledger.finish(again, { ...NOTHING, done: ['2'] });
      expect(await snapshot()).toMatchObject({
        state: 'settling',
        counters: { listsKnown: 2, listsDone: 2, listsGaps: 0, listsRetrying: 0, callsMade: 3 },
      });
      expect(await under.audited(importId)).toEqual(['import.create', 'import.retry']);
    });

    it('may fail again, and be tried again', async () => {
      await endWithGap();
      for (let round = 0; round < 2; round += 1) {
        await retry();
        await finish(await call('lists', 5), { gaps: [gap('2', 'gave-up')] });
        expect((await snapshot())?.counters).toMatchObject({ listsDone: 2, listsGaps: 1, listsRetrying: 0 });
      }
    });

    it('opens only what is about those who are named', async () => {
      await start('1', '2');
      await finish(await call('lists', 5), { gaps: [gap('1', 'gave-up'), gap('2', 'gave-up')] });
      await retry(['2', '3']);
      expect((await snapshot())?.counters).toMatchObject({ listsGaps: 1, listsRetrying: 1 });
    });

    it('changes nothing where there is nothing to try, or where that is refused', async () => {
      await start('1');
      expect((await retry())?.job.snapshot.revision).toBe(1);
      await imports.change(workspaceId, importId, (job) => job.step('cancel', 3), act('import.cancel'));
      await expect(retry()).rejects.toMatchObject({ code: 'IMPORTS.STEP_REFUSED' });
      expect(await under.audited(importId)).toEqual(['import.create', 'import.cancel']);
    });

    it('takes everything back that had not begun when it is cancelled, and counts it', async () => {
      await start('1', '2', '3');
      const queued = await call('lists', 2);
      const begun = await call('profiles', 1);
      await under.ledger.begin(begun);
      const cancelled = await imports.change(workspaceId, importId, (job) => job.step('cancel', 3));
      expect(cancelled?.job.snapshot.counters).toMatchObject({
        ...{ peopleKnown: 3, peopleDone: 2, peopleGaps: 2, listsKnown: 3, listsDone: 3, listsGaps: 3 },
      });
      expect(await under.ledger.find(queued)).toMatchObject({ wanted: false, items: [] });
      expect(await under.ledger.begin(queued)).toEqual([]);
      const people = (await under.ledger.find(begun))?.people ?? [];
      expect(await under.ledger.finish(begun, { ...NOTHING, done: people })).toBe(true);
      expect(await snapshot()).toMatchObject({
        state: 'cancelled',
        counters: { peopleDone: 3, peopleGaps: 2, callsMade: 1 },
      });
    });

    it('is not there once it is deleted', async () => {
      await start('1');
      await imports.change(workspaceId, importId, (job) => job.step('cancel', 3));
      await imports.change(workspaceId, importId, (job) => job.step('delete', 4), act('import.delete'));
      expect(await imports.find(workspaceId, importId)).toBeUndefined();
      expect(await imports.page(workspaceId, 5)).toEqual([]);
      expect(await imports.change(workspaceId, importId, (job) => job)).toBeUndefined();
      expect(await retry()).toBeUndefined();
      expect(await under.events.latest([importId])).toEqual(new Map());
      expect((await under.audited(importId)).at(-1)).toBe('import.delete');
    });

    it('is found by its state and its network', async () => {
      const paused = under.id();
      await start('1');
      await imports.add(anImport({ id: paused, workspaceId, network: 'other' }));
      await imports.change(workspaceId, paused, (job) => job.step('pause', 2));
      const ids = async (filter: Parameters<Imports['page']>[3]) =>
        (await imports.page(workspaceId, 5, undefined, filter)).map(({ job }) => job.snapshot.id);
      expect(await ids({ state: 'paused' })).toEqual([paused]);
      expect(await ids({ state: 'running' })).toEqual([importId]);
      expect(await ids({ network: 'toy' })).toEqual([importId]);
      expect(await ids({ state: 'paused', network: 'toy' })).toEqual([]);
    });

    it('runs beside no more others than may, also of ten that start at once', async () => {
      const limited = under.imports(2);
      const started = await Promise.allSettled(
        Array.from({ length: 10 }, () => limited.add(anImport({ id: under.id(), workspaceId }))),
      );
      expect(started.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      for (const refused of started.filter((outcome) => outcome.status === 'rejected'))
        expect(refused.reason).toMatchObject({ code: 'IMPORTS.QUOTA_RUNNING' });
      expect(await limited.page(workspaceId, 20)).toHaveLength(2);
      await limited.add(anImport({ id: under.id(), workspaceId: `${workspaceId.slice(0, 50)}-other` }));
    });

    it('tells of its start and of every step, in order and without holes', async () => {
      await start('1');
      await imports.change(workspaceId, importId, (job) => job.step('pause', 2));
      await imports.change(workspaceId, importId, (job) => job.step('pause', 3));
      await imports.change(workspaceId, importId, (job) => job.step('resume', 4));
      const marks = await under.events.since(importId, 0);
      expect(marks.map(({ seq, state, revision }) => [seq, state, revision])).toEqual([
        [1, 'running', 1],
        [2, 'paused', 2],
        [3, 'running', 3],
      ]);
      expect(marks[0]?.counters).toMatchObject({ peopleKnown: 1, listsKnown: 1, callsMade: 0 });
      expect((await under.events.since(importId, 2)).map(({ seq }) => seq)).toEqual([3]);
      expect(await under.events.latest([importId, under.id()])).toEqual(new Map([[importId, 3]]));
      expect((await under.events.recent(importId)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    });

    it('tells of the last progress, also when nothing comes after it', async () => {
      await start('1', '2', '3');
      for (const person of ['1', '2'])
        await finish(await call('lists', 1), { done: [person], friendshipObservations: 1 });
      await under.ageEvents(importId, 1_000);
      const last = (await under.events.latest([importId])).get(importId) ?? 0;
      const marks = await under.events.since(importId, 0);
      expect(marks.at(-1)).toMatchObject({ seq: last, counters: { listsDone: 2, callsMade: 2 } });
      expect(marks.map(({ seq }) => seq)).toEqual(marks.map((_, index) => index + 1));
      expect((await under.events.latest([importId])).get(importId)).toBe(last);
    });
  });
}
