import { seeded, type SeededRandomness } from '@sociograph/testing';
import type { ImportCounters, ImportState } from '../src/domain/import-job';
import type { GapCause } from '../src/domain/items';
import { RETRIED_CAUSES } from '../src/domain/retry';
import type { CallLedger, CallResult, Imports } from '../src/domain/ports';
import { anImport } from './builders';

export interface StormyStore {
  imports: Imports;
  ledger: CallLedger;
  id(): string;
  /** Makes calls and waits of the import look older. */
  age(importId: string, ms: number): Promise<void>;
}

export interface StormReport {
  steps: number;
  finished: number;
  end: ImportState | 'gone';
  retried: number;
}

const NOTHING: CallResult = {
  ...{ done: [], gaps: [], long: [], more: [], again: [], found: [] },
  ...{ positions: {}, friendshipObservations: 0 },
};
const PEOPLE = 30;
const GAPS: GapCause[] = ['private', 'gave-up', 'partial', 'unknown'];
const NEVER_FALL: (keyof ImportCounters)[] = [
  ...(['peopleKnown', 'peopleDone', 'listsKnown', 'listsDone'] as const),
  ...(['callsMade', 'friendshipObservations', 'peopleBeyond'] as const),
];

/**
 * One import through random steps of its owner, random answers, crashes of whoever holds calls, and messages that come
 * twice. After each step everything that was found is accounted for exactly once; at the end nothing is left behind.
 */
export async function storm(under: StormyStore, seed: number, steps: number): Promise<StormReport> {
  const chance = seeded(seed);
  const [importId, workspaceId] = [under.id(), `w-${under.id()}`.slice(0, 60)];
  const lane = { workspaceId, network: 'toy' };
  const limit = chance.next() < 0.3 ? 12 : null;
  await under.imports.add(
    anImport({ id: importId, workspaceId, seeds: ['1', '2', '3'], peopleLimit: limit }),
  );
  const held = new Set<string>();
  const report: StormReport = { steps: 0, finished: 0, end: 'running', retried: 0 };
  let before: ImportCounters | undefined;
  let expectedCalls = 0;

  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if ((error as { code?: string }).code !== 'IMPORTS.STEP_REFUSED') throw error;
    }
  };
  const dispatch = async (): Promise<void> => {
    const callId = under.id();
    await under.ledger.dispatch(lane, ({ work }) => {
      const kinds = work[0] === undefined ? [] : (['lists', 'profiles', 'long-list'] as const);
      const calls =
        kinds.length === 0
          ? []
          : [{ callId, pack: { importId, kind: chance.pick(kinds), size: 1 + chance.below(4) } }];
      return { calls, closed: [] };
    });
    if ((await under.ledger.find(callId)) !== undefined) held.add(callId);
  };
  const finish = async (callId: string): Promise<void> => {
    const items = await under.ledger.begin(callId);
    const isLists = (await under.ledger.find(callId))?.kind === 'lists';
    const result = answerTo(chance, items, isLists);
    const times = chance.next() < 0.2 ? 2 : 1;
    const outcomes = await Promise.all(
      Array.from({ length: times }, () => under.ledger.finish(callId, result)),
    );
    const counted = outcomes.filter(Boolean).length;
    if (counted > 1) throw new Error('a call was finished twice');
    expectedCalls += counted;
    report.finished += counted;
    held.delete(callId);
  };
  const owner = {
    pause: () => under.imports.change(workspaceId, importId, (job) => job.step('pause', 1)),
    resume: () => under.imports.change(workspaceId, importId, (job) => job.step('resume', 1).settleIfDone(1)),
    cancel: () => under.imports.change(workspaceId, importId, (job) => job.step('cancel', 1)),
    complete: () => under.imports.change(workspaceId, importId, (job) => job.step('complete', 1)),
    delete: () => under.imports.change(workspaceId, importId, (job) => job.step('delete', 1)),
    retry: () =>
      under.imports.retry(workspaceId, importId, RETRIED_CAUSES, (job, reopened) => {
        report.retried += reopened.people + reopened.lists;
        return job.retry(reopened, 1);
      }),
  };
  const oneStep = async (): Promise<void> => {
    const dice = chance.next();
    const callId = held.size === 0 ? undefined : chance.pick([...held]);
    if (dice < 0.34) return dispatch();
    if (dice < 0.7) return callId === undefined ? dispatch() : finish(callId);
    if (dice < 0.76 && callId !== undefined) {
      held.delete(callId);
      return under.ledger.putBack(callId, { holdMs: 0, refund: false });
    }
    if (dice < 0.8 && callId !== undefined) {
      const call = await under.ledger.find(callId);
      if ((call?.items.length ?? 0) < 2) return;
      const halves = [under.id(), under.id()] as const;
      await under.ledger.split(callId, halves);
      expectedCalls += 1;
      held.delete(callId);
      halves.forEach((half) => held.add(half));
      return;
    }
    if (dice < 0.84) {
      // Whoever held calls is gone, some of them begun; later their messages are taken to be lost.
      if (callId !== undefined && chance.next() < 0.5) await under.ledger.begin(callId);
      held.clear();
      await under.age(importId, 200_000);
      await under.ledger.reviveStale(180_000);
      return;
    }
    if (dice < 0.88) return attempt(owner.pause);
    if (dice < 0.93) return attempt(owner.resume);
    if (dice < 0.96) return attempt(owner.retry);
    if (dice < 0.98) return attempt(owner.complete);
    if (dice < 0.985) return attempt(owner.cancel);
    if (dice < 0.99) return attempt(owner.delete);
  };
  const check = async (): Promise<boolean> => {
    const record = await under.imports.find(workspaceId, importId);
    if (record === undefined) return false;
    const { counters, state } = record.job.snapshot;
    for (const name of NEVER_FALL)
      if (counters[name] < (before?.[name] ?? 0)) throw new Error(`${name} fell to ${counters[name]}`);
    before = counters;
    const tallies = await under.imports.tally(workspaceId, importId, 5);
    const count = (profiles: boolean, standing?: string): number =>
      tallies
        .filter(({ kind }) => (kind === 'profile') === profiles)
        .filter((tally) => standing === undefined || tally.standing === standing)
        .reduce((sum, tally) => sum + tally.count, 0);
    const seen = {
      people: [count(true), count(true, 'open'), count(true, 'gap')],
      lists: [count(false), count(false, 'open'), count(false, 'gap')],
      calls: expectedCalls,
    };
    const said = {
      people: [
        counters.peopleKnown + counters.peopleBeyond,
        record.job.openPeople,
        counters.peopleGaps + counters.peopleBeyond,
      ],
      lists: [counters.listsKnown, record.job.openLists, counters.listsGaps],
      calls: counters.callsMade,
    };
    if (JSON.stringify(seen) !== JSON.stringify(said))
      throw new Error(`items ${JSON.stringify(seen)}, counters ${JSON.stringify(said)}, ${state}`);
    if (state === 'completed' || state === 'settling')
      if (record.job.openItems !== 0) throw new Error(`${state} with ${record.job.openItems} open items`);
    report.end = state;
    return true;
  };

  try {
    for (; report.steps < steps; report.steps += 1) {
      await oneStep();
      if (!(await check())) return { ...report, end: 'gone' };
    }
    // The owner lets it go on, and everybody lives: it comes to an end by itself.
    await attempt(owner.resume);
    for (let round = 0; round < 400; round += 1) {
      await under.age(importId, 200_000);
      await under.ledger.reviveStale(180_000);
      for (let call = 0; call < 3; call += 1) await dispatch();
      for (const callId of [...held]) await finish(callId);
      await check();
      if (!['running', 'paused'].includes(report.end)) break;
    }
    const record = await under.imports.find(workspaceId, importId);
    if (record?.job.openItems !== 0) throw new Error(`left behind: ${JSON.stringify(record?.job.snapshot)}`);
    return report;
  } catch (error) {
    (error as Error).message = `seed ${seed}, step ${report.steps}: ${(error as Error).message}`;
    throw error;
  }
}

/** Each item gets one of the fates that an answer may have; a list names some of the people there are. */
function answerTo(
  chance: SeededRandomness,
  items: readonly { person: string; depth: number }[],
  mayBeLong: boolean,
): CallResult {
  const result = { done: [] as string[], gaps: [] as CallResult['gaps'][number][], long: [] as string[] };
  const again: CallResult['again'][number][] = [];
  const found = new Map<string, number>();
  for (const { person, depth } of items) {
    const dice = chance.next();
    if (dice < 0.6) result.done.push(person);
    else if (dice < 0.75) result.gaps.push({ person, cause: chance.pick(GAPS), detail: null });
    else if (dice < 0.8 && mayBeLong) result.long.push(person);
    else again.push({ person, readyInMs: 0, refund: chance.next() < 0.5, cause: 'error' });
    if (dice < 0.6)
      for (let friend = 0; friend < chance.below(4); friend += 1)
        found.set(String(1 + chance.below(PEOPLE)), depth + 1);
  }
  return {
    ...NOTHING,
    ...result,
    again,
    found: [...found].map(([person, depth]) => ({ person, depth })),
    friendshipObservations: found.size,
  };
}
