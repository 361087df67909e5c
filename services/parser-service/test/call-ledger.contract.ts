import type { Pack, PackKind } from '../src/domain/packing';
import type {
  CallLedger,
  CallResult,
  DispatchPlan,
  ImportRecord,
  Imports,
  KeptAnswer,
  Lane,
  LaneView,
} from '../src/domain/ports';
import { USUAL_SCOPE } from '../src/domain/import-scope';
import { anImport, ToyNetwork } from './builders';

export interface LedgerUnderTest {
  imports: Imports;
  ledger: CallLedger;
  /** A new id of the kind that the adapter stores; rising. */
  id(): string;
  /** Ids of calls whose message was sent, in order. */
  sent(): Promise<string[]>;
  /** States that were announced, in order. */
  announced(importId: string): Promise<string[]>;
  /** Makes everything that was stored so far look so much older. */
  age(ms: number): Promise<void>;
}

const NOTHING: CallResult = {
  done: [],
  gaps: [],
  long: [],
  more: [],
  again: [],
  found: [],
  positions: {},
  friendshipObservations: 0,
};

/** An empty answer about one person. */
const keptAnswer = (person: string): KeptAnswer => ({
  ...{ people: [person], tries: 0, status: 200, body: '{}' },
  ...{ observedAt: 1, keyId: 'k', fence: 1 },
});

/** What every CallLedger (with its Imports) does; run on memory and on PostgreSQL. */
export function describeCallLedger(name: string, setUp: () => Promise<LedgerUnderTest>): void {
  describe(`the call ledger in ${name}`, () => {
    let under: LedgerUnderTest;
    let lane: Lane;
    let importId: string;

    beforeEach(async () => {
      under = await setUp();
      importId = under.id();
      lane = { workspaceId: `w-${importId}`.slice(0, 60), network: 'toy' };
    });

    const start = (changes: Parameters<typeof anImport>[0] = {}): Promise<void> =>
      under.imports.add(anImport({ id: importId, workspaceId: lane.workspaceId, ...changes }));
    const found = async (): Promise<ImportRecord> => {
      const record = await under.imports.find(lane.workspaceId, importId);
      if (record === undefined) throw new Error('the import is gone');
      return record;
    };
    const counters = async () => (await found()).job.snapshot.counters;
    const view = async (): Promise<LaneView> => {
      let seen: LaneView | undefined;
      await under.ledger.dispatch(lane, (shown) => {
        seen = shown;
        return { calls: [], closed: [] };
      });
      if (seen === undefined) throw new Error('no view');
      return seen;
    };
    const work = async () => (await view()).work[0];
    const dispatch = async (kind: PackKind, size: number, of = importId): Promise<string> => {
      const callId = under.id();
      const pack: Pack = { importId: of, kind, size };
      await under.ledger.dispatch(lane, (): DispatchPlan => ({ calls: [{ callId, pack }], closed: [] }));
      return callId;
    };
    /** Seed 1 has the friends named; returns when they are known. */
    const findPeople = async (...people: string[]): Promise<void> => {
      const callId = await dispatch('lists', 1);
      await under.ledger.begin(callId);
      await under.ledger.finish(callId, {
        ...NOTHING,
        done: ['1'],
        found: people.map((person) => ({ person, depth: 1 })),
      });
    };

    it('offers the seeds of a new import, profile and list', async () => {
      await start({ seeds: ['1', '2'] });
      expect(await under.ledger.lanes()).toContainEqual(lane);
      expect(await view()).toEqual({
        outstanding: 0,
        unanswered: 0,
        learned: {},
        work: [
          {
            importId,
            ready: { lists: 2, profiles: 2 },
            open: ['profile', 'friends'],
            called: [],
            bounded: false,
            callsLeft: null,
            inFlight: 0,
          },
        ],
      });
      expect(await under.announced(importId)).toEqual(['running']);
    });

    it('takes the items of a dispatched call and sends one message', async () => {
      await start({ seeds: ['1', '2', '3'] });
      const callId = await dispatch('lists', 2);
      expect(await under.sent()).toEqual([callId]);
      const call = await under.ledger.find(callId);
      expect(call).toMatchObject({ callId, importId, ...lane, kind: 'lists', wanted: true });
      expect([...(call?.people ?? [])].sort()).toEqual(['1', '2']);
      expect((await view()).outstanding).toBe(1);
      expect(await work()).toMatchObject({
        ready: { lists: 1, profiles: 3 },
        called: ['friends'],
        inFlight: 1,
      });
    });

    it('takes a call to be answered some time after its beginning', async () => {
      await start();
      const callId = await dispatch('lists', 1);
      await under.age(60_000);
      expect(await view()).toMatchObject({ outstanding: 1, unanswered: 1 });
      await under.ledger.begin(callId);
      expect(await view()).toMatchObject({ outstanding: 1, unanswered: 1 });
      await under.age(201);
      expect(await view()).toMatchObject({ outstanding: 1, unanswered: 0 });
      await under.ledger.finish(callId, { ...NOTHING, done: ['1'] });
      expect(await view()).toMatchObject({ outstanding: 0, unanswered: 0 });
    });

    it('stores no call that finds no items', async () => {
      await start();
      const first = await dispatch('lists', 5);
      const second = await dispatch('lists', 5);
      expect(await under.ledger.find(second)).toBeUndefined();
      expect(await under.sent()).toEqual([first]);
    });

    it('counts an attempt of each item when a call begins, again when it is delivered again', async () => {
      await start();
      const callId = await dispatch('lists', 1);
      expect((await under.ledger.find(callId))?.items).toEqual([
        { person: '1', depth: 0, attempts: 0, keyFaults: 0 },
      ]);
      expect(await under.ledger.begin(callId)).toEqual([
        { person: '1', depth: 0, attempts: 1, keyFaults: 0 },
      ]);
      expect(await under.ledger.begin(callId)).toEqual([
        { person: '1', depth: 0, attempts: 2, keyFaults: 0 },
      ]);
      expect((await under.ledger.find(callId))?.items).toEqual([
        { person: '1', depth: 0, attempts: 2, keyFaults: 0 },
      ]);
    });

    it('adds found people once, with a list each, and counts', async () => {
      await start();
      await findPeople('2', '3', '1');
      expect(await counters()).toMatchObject({
        peopleKnown: 3,
        peopleDone: 0,
        listsKnown: 3,
        listsDone: 1,
        callsMade: 1,
      });
      const callId = await dispatch('lists', 1);
      await under.ledger.begin(callId);
      const people = (await under.ledger.find(callId))?.people ?? [];
      await under.ledger.finish(callId, {
        ...NOTHING,
        done: people,
        found: [
          { person: '3', depth: 2 },
          { person: '4', depth: 2 },
        ],
        friendshipObservations: 2,
      });
      expect(await counters()).toMatchObject({
        peopleKnown: 4,
        listsKnown: 4,
        listsDone: 2,
        callsMade: 2,
        friendshipObservations: 2,
      });
    });

    it('finishes a call once', async () => {
      await start();
      const callId = await dispatch('lists', 1);
      await under.ledger.begin(callId);
      expect(await under.ledger.finish(callId, { ...NOTHING, done: ['1'] })).toBe(true);
      expect(await under.ledger.finish(callId, { ...NOTHING, done: ['1'], friendshipObservations: 9 })).toBe(
        false,
      );
      expect(await under.ledger.begin(callId)).toEqual([]);
      expect(await under.ledger.find(callId)).toMatchObject({ wanted: false, items: [] });
      expect(await counters()).toMatchObject({ listsDone: 1, callsMade: 1, friendshipObservations: 0 });
    });

    it('lets one of many finish when they come at once', async () => {
      await start();
      const callId = await dispatch('lists', 1);
      await under.ledger.begin(callId);
      const all = await Promise.all(
        Array.from({ length: 10 }, () =>
          under.ledger.finish(callId, { ...NOTHING, done: ['1'], found: [{ person: '2', depth: 1 }] }),
        ),
      );
      expect(all.filter(Boolean)).toHaveLength(1);
      expect(await counters()).toMatchObject({ peopleKnown: 2, listsDone: 1, callsMade: 1 });
    });

    it('counts profiles apart from lists', async () => {
      await start({ seeds: ['1', '2'] });
      const callId = await dispatch('profiles', 5);
      await under.ledger.begin(callId);
      await under.ledger.finish(callId, {
        ...NOTHING,
        done: ['1'],
        gaps: [{ person: '2', cause: 'unknown', detail: null }],
      });
      expect(await counters()).toMatchObject({ peopleDone: 2, peopleGaps: 1, listsDone: 0, listsGaps: 0 });
    });

    it('tries items again when their wait is over, with the attempt given back and the fault counted where it was the key`s', async () => {
      await start({ seeds: ['1', '2'] });
      const callId = await dispatch('lists', 2);
      await under.ledger.begin(callId);
      await under.ledger.finish(callId, {
        ...NOTHING,
        again: [
          { person: '1', readyInMs: 0, refund: true, cause: 'error 6' },
          { person: '2', readyInMs: 60_000, refund: false, cause: 'error 10' },
        ],
      });
      expect(await work()).toMatchObject({ ready: { lists: 1 }, inFlight: 0 });
      const next = await dispatch('lists', 2);
      expect(await under.ledger.begin(next)).toEqual([{ person: '1', depth: 0, attempts: 1, keyFaults: 1 }]);
      await under.age(60_001);
      expect(await work()).toMatchObject({ ready: { lists: 1 } });
      expect(await under.ledger.begin(await dispatch('lists', 2))).toEqual([
        { person: '2', depth: 0, attempts: 2, keyFaults: 0 },
      ]);
    });

    it('shows no work while the lane has nearly all the calls it may have', async () => {
      await start({ seeds: ['1', '2'] });
      await dispatch('lists', 1);
      const shown: LaneView[] = [];
      const look = (calls: number, least = 1) =>
        under.ledger.dispatch(
          lane,
          (seen) => {
            shown.push(seen);
            return { calls: [], closed: [] };
          },
          { calls, least, packSizes: new ToyNetwork().packSizes },
        );
      await look(1);
      await look(2);
      await look(3, 3);
      await look(3, 2);
      expect(shown.map(({ outstanding, work: offered }) => [outstanding, offered.length])).toEqual([
        [1, 0],
        [1, 1],
        [1, 0],
        [1, 1],
      ]);
      expect(shown[1]?.work[0]?.ready).toEqual({ lists: 1, profiles: 2 });
    });

    it('finishes calls of one import that end at once, each with its own items', async () => {
      await start({ seeds: ['1', '2', '3', '4', '5', '6'] });
      const calls = [await dispatch('lists', 2), await dispatch('lists', 2), await dispatch('lists', 2)];
      for (const callId of calls) await under.ledger.begin(callId);
      const profiles = await dispatch('profiles', 6);
      await under.ledger.begin(profiles);
      const people = async (callId: string) => (await under.ledger.find(callId))?.people.map(String) ?? [];
      const seen = await Promise.all(calls.map(people));
      const results = calls.map((callId, index) => ({
        callId,
        result: {
          ...NOTHING,
          done: seen[index]?.slice(0, 1) ?? [],
          again: [{ person: String(seen[index]?.[1]), readyInMs: 0, refund: false, cause: 'reset' }],
          // All of them meet 7, at other distances, and each one of its own.
          found: [
            { person: '7', depth: 3 - index },
            { person: String(10 + index), depth: 1 },
          ],
          positions: { log: { '0': [5, 9, 7][index] ?? 0 } },
          friendshipObservations: 2,
        },
      }));
      const ended = await Promise.all([
        ...results.map(({ callId, result }) => under.ledger.finish(callId, result, importId)),
        under.ledger.finish(profiles, { ...NOTHING, done: ['1', '2', '3', '4', '5', '6'] }, importId),
        under.ledger.finish(profiles, { ...NOTHING, done: ['1'] }, importId),
      ]);
      expect(ended).toEqual([true, true, true, true, false]);
      expect(await counters()).toMatchObject({
        peopleKnown: 10,
        peopleDone: 6,
        listsKnown: 10,
        listsDone: 3,
        callsMade: 4,
        friendshipObservations: 6,
      });
      expect((await found()).positions).toEqual({ log: { '0': 9 } });
      expect((await work())?.ready).toEqual({ lists: 7, profiles: 4 });
    });

    it('offers long lists apart, their attempts begin anew', async () => {
      await start();
      const callId = await dispatch('lists', 1);
      await under.ledger.begin(callId);
      await under.ledger.finish(callId, { ...NOTHING, long: ['1'] });
      expect(await work()).toMatchObject({ ready: { 'long-list': 1, profiles: 1 }, called: [] });
      const long = await dispatch('long-list', 1);
      expect(await under.ledger.begin(long)).toEqual([{ person: '1', depth: 0, attempts: 1, keyFaults: 0 }]);
      await under.ledger.finish(long, { ...NOTHING, done: ['1'] });
      expect(await counters()).toMatchObject({ listsDone: 1 });
    });

    it('walks a bounded depth distance by distance and fetches no list at its end', async () => {
      await start({ depth: 2, seeds: ['1', '9'] });
      const callId = await dispatch('lists', 1);
      const [first] = (await under.ledger.find(callId))?.people ?? [];
      await under.ledger.begin(callId);
      await under.ledger.finish(callId, {
        ...NOTHING,
        done: [String(first)],
        found: [{ person: '2', depth: 1 }],
      });
      expect(await work()).toMatchObject({ ready: { lists: 1 }, called: [], bounded: true });
      const second = await dispatch('lists', 5);
      expect((await under.ledger.find(second))?.people).not.toContain('2');
      await under.ledger.begin(second);
      expect((await work())?.ready.lists).toBeUndefined();
      await under.ledger.finish(second, {
        ...NOTHING,
        done: (await under.ledger.find(second))?.people ?? [],
      });
      const third = await dispatch('lists', 5);
      expect(await under.ledger.begin(third)).toEqual([{ person: '2', depth: 1, attempts: 1, keyFaults: 0 }]);
      await under.ledger.finish(third, { ...NOTHING, done: ['2'], found: [{ person: '3', depth: 2 }] });
      expect(await counters()).toMatchObject({ peopleKnown: 4, listsKnown: 3, listsDone: 3 });
      expect((await found()).job.frontierClosed).toBe(true);
    });

    it('keeps people beyond the limit as gaps, once each', async () => {
      await start({ peopleLimit: 2 });
      await findPeople('2', '3', '4');
      expect(await counters()).toMatchObject({ peopleKnown: 2, listsKnown: 2, peopleBeyond: 2 });
      const callId = await dispatch('lists', 5);
      await under.ledger.begin(callId);
      await under.ledger.finish(callId, {
        ...NOTHING,
        done: ['2'],
        found: [
          { person: '4', depth: 2 },
          { person: '5', depth: 2 },
        ],
      });
      expect(await counters()).toMatchObject({ peopleKnown: 2, peopleBeyond: 3 });
      expect(await under.imports.tally(lane.workspaceId, importId, 2)).toEqual([
        { kind: 'friends', standing: 'got', cause: null, detail: null, count: 2, people: [] },
        {
          kind: 'profile',
          standing: 'gap',
          cause: 'limit-reached',
          detail: null,
          count: 3,
          people: ['3', '4'],
        },
        { kind: 'profile', standing: 'open', cause: null, detail: null, count: 2, people: [] },
      ]);
    });

    it('counts down the calls that an import may make and closes it at its limit', async () => {
      await start({ callsLimit: 2, seeds: ['1', '2'] });
      expect(await work()).toMatchObject({ callsLeft: 2 });
      const callId = await dispatch('lists', 1);
      expect(await work()).toMatchObject({ callsLeft: 1, inFlight: 1 });
      const people = (await under.ledger.find(callId))?.people ?? [];
      await under.ledger.begin(callId);
      await under.ledger.finish(callId, { ...NOTHING, done: people });
      expect(await work()).toMatchObject({ callsLeft: 1, inFlight: 0 });
      await under.ledger.dispatch(lane, () => ({ calls: [], closed: [importId] }));
      const { job } = await found();
      expect(job.snapshot).toMatchObject({
        state: 'settling',
        counters: { peopleDone: 2, peopleGaps: 2, listsDone: 2, listsGaps: 1 },
      });
      expect(await under.announced(importId)).toEqual(['running', 'settling']);
    });

    it('settles the import with its last item and keeps the highest positions', async () => {
      await start();
      const lists = await dispatch('lists', 1);
      await under.ledger.begin(lists);
      await under.ledger.finish(lists, { ...NOTHING, done: ['1'], positions: { a: { '0': 5, '3': 2 } } });
      expect((await found()).job.snapshot.state).toBe('running');
      const profiles = await dispatch('profiles', 1);
      await under.ledger.begin(profiles);
      await under.ledger.finish(profiles, {
        ...NOTHING,
        done: ['1'],
        positions: { a: { '0': 4, '3': 7 }, b: { '1': 1 } },
      });
      const record = await found();
      expect(record.job.snapshot.state).toBe('settling');
      expect(record.positions).toEqual({ a: { '0': 5, '3': 7 }, b: { '1': 1 } });
      expect((await under.imports.settling()).map(({ job }) => job.snapshot.id)).toContain(importId);
      expect(await under.ledger.lanes()).not.toContainEqual(lane);
      expect(await under.announced(importId)).toEqual(['running', 'settling']);
    });

    it('puts a call back: its items wait, its import is on hold', async () => {
      await start();
      const callId = await dispatch('lists', 1);
      await under.ledger.putBack(callId, { holdMs: 60_000, refund: false });
      expect((await under.ledger.find(callId))?.wanted).toBe(false);
      expect(await under.ledger.lanes()).not.toContainEqual(lane);
      expect((await view()).work).toEqual([]);
      await under.age(60_001);
      expect(await under.ledger.lanes()).toContainEqual(lane);
      expect(await work()).toMatchObject({ ready: { lists: 1 }, inFlight: 0 });
      const again = await dispatch('lists', 1);
      expect(await under.ledger.begin(again)).toEqual([{ person: '1', depth: 0, attempts: 1, keyFaults: 0 }]);
      await under.ledger.putBack(again, { holdMs: 0, refund: true });
      expect(await under.ledger.begin(await dispatch('lists', 1))).toEqual([
        { person: '1', depth: 0, attempts: 1, keyFaults: 0 },
      ]);
    });

    it('keeps the attempts of calls that were begun, however they ended', async () => {
      await start({ seeds: ['1', '2'] });
      const first = await dispatch('lists', 2);
      for (const _ of [1, 2]) await under.ledger.begin(first);
      await under.ledger.putBack(first, { holdMs: 0, refund: false });
      const second = await dispatch('lists', 2);
      const attempts = async (callId: string) =>
        (await under.ledger.begin(callId)).map((item) => item.attempts);
      expect(await attempts(second)).toEqual([3, 3]);
      await under.ledger.putBack(second, { holdMs: 0, refund: true });
      const third = await dispatch('lists', 2);
      expect(await attempts(third)).toEqual([3, 3]);
      const halves = [under.id(), under.id()];
      await under.ledger.split(third, halves);
      expect(await attempts(halves[1] ?? '')).toEqual([3]);
      expect((await under.ledger.find(halves[0] ?? ''))?.items).toMatchObject([{ attempts: 2 }]);
      const again = [{ person: '1', readyInMs: 0, refund: true, cause: 'error 6' }];
      await attempts(halves[0] ?? '');
      await under.ledger.finish(halves[0] ?? '', { ...NOTHING, again });
      expect(await under.ledger.begin(await dispatch('lists', 1))).toEqual([
        { person: '1', depth: 0, attempts: 3, keyFaults: 1 },
      ]);
    });

    it('keeps answers until their calls end, and none of a call that has ended', async () => {
      await start({ seeds: ['1', '2', '3'] });
      const answer = (of: string) => ({
        ...{ people: [of, '@ada'], tries: 2, status: 200, body: `{"of": "${of} \u2028 я \\"}` },
        ...{ observedAt: 1_700_000_000_123.5, keyId: 'k1', fence: 10_000_000_042 },
      });
      const calls = [await dispatch('lists', 1), await dispatch('lists', 1), await dispatch('lists', 1)];
      const [done = '', back = '', split = ''] = calls;
      for (const callId of calls) await under.ledger.begin(callId);
      const kept = async () => Promise.all(calls.map(async (id) => (await under.ledger.find(id))?.kept));
      expect(await kept()).toEqual([undefined, undefined, undefined]);
      const keeping = calls.map((id) => under.ledger.keep(id, answer(id)));
      expect(await Promise.all(keeping)).toEqual([true, true, true]);
      expect(await kept()).toEqual(calls.map(answer));
      await under.ledger.finish(done, { ...NOTHING, done: (await under.ledger.find(done))?.people ?? [] });
      await under.ledger.putBack(back, { holdMs: 0, refund: false });
      await under.ledger.split(split, [under.id(), under.id()]);
      expect(await kept()).toEqual([undefined, undefined, undefined]);
      expect(await under.ledger.keep(done, answer(done))).toBe(false);
      expect(await under.ledger.keep(under.id(), answer('nobody'))).toBe(false);
      expect((await kept())[0]).toBeUndefined();
    });

    it('begins calls at once, each with its own items, and none that has ended', async () => {
      await start({ seeds: ['1', '2', '3', '4', '5'] });
      const calls = [await dispatch('lists', 2), await dispatch('lists', 2), await dispatch('lists', 1)];
      const people = await Promise.all(calls.map(async (id) => (await under.ledger.find(id))?.people));
      const [ended = ''] = calls;
      await under.ledger.putBack(ended, { holdMs: 0, refund: false });
      const begun = await Promise.all([...calls, under.id()].map((callId) => under.ledger.begin(callId)));
      const names = begun.map((items) => items.map(({ person }) => person).sort());
      expect(names).toEqual([[], [...(people[1] ?? [])].sort(), [...(people[2] ?? [])].sort(), []]);
    });

    it('puts calls of one import back that come at once, and holds the import for the longest time', async () => {
      await start({ seeds: ['1', '2', '3', '4', '5'] });
      const calls = [await dispatch('lists', 2), await dispatch('lists', 1), await dispatch('lists', 2)];
      for (const callId of calls) await under.ledger.begin(callId);
      const [one = '', two = '', three = ''] = calls;
      await Promise.all([
        under.ledger.putBack(one, { holdMs: 0, refund: true }, importId),
        under.ledger.putBack(two, { holdMs: 300_000, refund: false }, importId),
        under.ledger.putBack(three, { holdMs: 200_000, refund: true }, importId),
        under.ledger.putBack(three, { holdMs: 900_000, refund: true }, importId),
      ]);
      expect(await view()).toMatchObject({ outstanding: 0, work: [] });
      await under.age(250_000);
      expect((await view()).work).toEqual([]);
      await under.age(50_001);
      expect((await work())?.ready).toEqual({ lists: 5, profiles: 5 });
      const attempts = (await under.ledger.begin(await dispatch('lists', 5))).map((item) => item.attempts);
      expect(attempts.sort()).toEqual([1, 1, 1, 1, 2]);
    });

    it('puts back nothing of a call that is done', async () => {
      await start();
      const callId = await dispatch('lists', 1);
      await under.ledger.begin(callId);
      await under.ledger.finish(callId, { ...NOTHING, done: ['1'] });
      await under.ledger.putBack(callId, { holdMs: 0, refund: true });
      expect((await work())?.ready.lists).toBeUndefined();
    });

    it('splits a call into two that are dispatched at once', async () => {
      await start({ seeds: ['1', '2', '3'] });
      const callId = await dispatch('lists', 3);
      await under.ledger.begin(callId);
      const halves = [under.id(), under.id()] as const;
      await under.ledger.split(callId, halves);
      const people = await Promise.all(
        halves.map(async (half) => (await under.ledger.find(half))?.people ?? []),
      );
      expect(people.map(({ length }) => length)).toEqual([2, 1]);
      expect(people.flat().sort()).toEqual(['1', '2', '3']);
      expect(await under.sent()).toEqual([callId, ...halves]);
      expect((await under.ledger.find(callId))?.wanted).toBe(false);
      expect((await under.ledger.begin(halves[1])).map(({ attempts }) => attempts)).toEqual([1]);
      expect(await counters()).toMatchObject({ callsMade: 1, listsDone: 0 });
      await under.ledger.split(callId, [under.id(), under.id()]);
      expect(await under.sent()).toHaveLength(3);
    });

    it('splits a call into more parts, and learns from one that was too much', async () => {
      await start({ seeds: ['1', '2', '3', '4', '5'] });
      const callId = await dispatch('lists', 5);
      await under.ledger.begin(callId);
      const parts = [under.id(), under.id(), under.id()];
      await under.ledger.split(callId, parts, { most: 25 });
      const calls = await Promise.all(parts.map((part) => under.ledger.find(part)));
      expect(calls.map((call) => [call?.people.length, call?.splits])).toEqual([
        [2, 1],
        [2, 1],
        [1, 1],
      ]);
      expect((await view()).learned).toEqual({ lists: 2 });
      const [first = ''] = parts;
      await under.ledger.begin(first);
      const done = calls[0]?.people ?? [];
      await under.ledger.finish(first, { ...NOTHING, done, fitted: { most: 25 } });
      expect((await view()).learned).toEqual({ lists: 3 });
    });

    it('learns from calls that end at once what they teach together, also the first time', async () => {
      for (let round = 0; round < 5; round += 1) {
        const [id, workspaceId] = [under.id(), `w-${under.id()}`.slice(0, 60)];
        const seeds = Array.from({ length: 16 }, (_, index) => String(index + 1));
        const imports = [id, under.id(), under.id()];
        for (const importOf of imports)
          await under.imports.add(anImport({ id: importOf, workspaceId, seeds }));
        const sizes = [3, 7, 15];
        const calls = imports.map((importOf, index) => ({
          callId: under.id(),
          pack: { importId: importOf, kind: 'lists' as const, size: sizes[index] ?? 1 },
        }));
        const of = { workspaceId, network: 'toy' };
        await under.ledger.dispatch(of, () => ({ calls, closed: [] }));
        await Promise.all(
          calls.map(({ callId }) => under.ledger.split(callId, [under.id(), under.id()], { most: 25 })),
        );
        let learned: LaneView['learned'] = {};
        await under.ledger.dispatch(of, (shown) => {
          ({ learned } = shown);
          return { calls: [], closed: [] };
        });
        expect(learned).toEqual({ lists: 1 });
      }
    });

    it('learns of a kind that begins small, and nothing from a call that says nothing', async () => {
      await start({ seeds: ['1', '2', '3'] });
      const size = { most: 25, first: 2 };
      const full = await dispatch('lists', 2);
      await under.ledger.begin(full);
      const done = (await under.ledger.find(full))?.people ?? [];
      await under.ledger.finish(full, { ...NOTHING, done, fitted: size });
      expect((await view()).learned).toEqual({ lists: 3 });
      const partial = await dispatch('lists', 1);
      await under.ledger.begin(partial);
      await under.ledger.finish(partial, { ...NOTHING, done: ['3'], fitted: size });
      expect((await view()).learned).toEqual({ lists: 3 });
    });

    it('begins with everything about its seeds: people, groups and names', async () => {
      const scope = { ...USUAL_SCOPE, include: ['friends', 'groups', 'walls', 'members'] as const };
      await start({ seeds: ['1', '-2', '@ada'], scope });
      expect(await work()).toMatchObject({
        ready: { names: 1, profiles: 1, lists: 1, groups: 1, walls: 2, members: 1, 'group-profiles': 1 },
      });
      expect(await counters()).toMatchObject({ peopleKnown: 1, listsKnown: 7 });
      expect((await found()).job.snapshot.scope).toEqual(scope);
    });

    it('adds the lists that were asked for of people found, of groups only themselves', async () => {
      const scope = { ...USUAL_SCOPE, include: ['groups', 'subscriptions', 'members', 'walls'] as const };
      await start({ scope, depth: 2, seeds: ['1'] });
      const callId = await dispatch('groups', 1);
      await under.ledger.begin(callId);
      const met = [
        { person: '2', depth: 1 },
        { person: '3', depth: 2 },
        { person: '-5', depth: 1 },
        { person: '-6', depth: 0 },
      ];
      await under.ledger.finish(callId, { ...NOTHING, done: ['1'], found: met });
      expect(await counters()).toMatchObject({ peopleKnown: 3, listsKnown: 3 + 3 + 1 + 3, listsDone: 1 });
      expect((await work())?.ready).toEqual({
        profiles: 3,
        groups: 1,
        subscriptions: 2,
        walls: 3,
        members: 1,
        'group-profiles': 2,
      });
    });

    it('goes on where a list was left, its attempts begin anew, and forgets it at the end', async () => {
      await start({ seeds: ['-2'], scope: { ...USUAL_SCOPE, include: ['members'] } });
      const first = await dispatch('members', 1);
      expect((await under.ledger.find(first))?.cursors).toEqual({});
      await under.ledger.begin(first);
      await under.ledger.finish(first, { ...NOTHING, more: [{ person: '-2', cursor: '{"offset":5}' }] });
      const second = await dispatch('members', 1);
      expect(await under.ledger.find(second)).toMatchObject({
        cursors: { '-2': '{"offset":5}' },
        items: [{ person: '-2', attempts: 0 }],
      });
      await under.ledger.begin(second);
      const again = [{ person: '-2', readyInMs: 0, refund: false, cause: 'error 10' }];
      await under.ledger.finish(second, { ...NOTHING, again });
      const third = await dispatch('members', 1);
      expect((await under.ledger.find(third))?.cursors).toEqual({ '-2': '{"offset":5}' });
      await under.ledger.begin(third);
      await under.ledger.finish(third, { ...NOTHING, done: ['-2'] });
      expect(await counters()).toMatchObject({ listsKnown: 2, listsDone: 1 });
    });

    it('resolves names before lists of a bounded depth go farther', async () => {
      await start({ seeds: ['1', '@ada'], depth: 2 });
      const callId = await dispatch('lists', 1);
      await under.ledger.begin(callId);
      await under.ledger.finish(callId, { ...NOTHING, done: ['1'], found: [{ person: '2', depth: 1 }] });
      expect((await work())?.ready).toMatchObject({ names: 1 });
      expect((await work())?.ready.lists).toBeUndefined();
      const names = await dispatch('names', 1);
      await under.ledger.begin(names);
      await under.ledger.finish(names, { ...NOTHING, done: ['@ada'], found: [{ person: '9', depth: 0 }] });
      expect((await work())?.ready).toMatchObject({ lists: 1 });
    });

    it('wants no call of an import that is paused, and again when it runs', async () => {
      await start();
      const callId = await dispatch('lists', 1);
      await under.imports.change(lane.workspaceId, importId, (job) => job.step('pause', 2));
      expect((await under.ledger.find(callId))?.wanted).toBe(false);
      expect(await under.ledger.begin(callId)).toHaveLength(1);
      expect(await under.ledger.lanes()).not.toContainEqual(lane);
      expect((await view()).work).toEqual([]);
      await under.imports.change(lane.workspaceId, importId, (job) => job.step('resume', 3));
      expect((await under.ledger.find(callId))?.wanted).toBe(true);
    });

    it('takes what a call brings to a paused import', async () => {
      await start();
      const callId = await dispatch('lists', 1);
      await under.ledger.begin(callId);
      await under.imports.change(lane.workspaceId, importId, (job) => job.step('pause', 2));
      await under.ledger.finish(callId, { ...NOTHING, done: ['1'], found: [{ person: '2', depth: 1 }] });
      expect(await counters()).toMatchObject({ peopleKnown: 2, listsDone: 1 });
      expect((await found()).job.snapshot.state).toBe('paused');
    });

    it('calls what is deleted banned where the profile says so, whichever came first', async () => {
      await start({ seeds: ['1', '2', '3'] });
      const lists = await dispatch('lists', 3);
      const profiles = await dispatch('profiles', 3);
      for (const callId of [lists, profiles]) await under.ledger.begin(callId);
      const gone = (person: string) => ({ person, cause: 'deleted' as const, detail: null });
      await under.ledger.finish(lists, { ...NOTHING, gaps: [gone('1'), gone('2'), gone('3')] });
      await under.ledger.finish(profiles, { ...NOTHING, done: ['1', '2', '3'], banned: ['2', '3'] });
      const gap = { kind: 'friends', standing: 'gap', detail: null };
      expect(await under.imports.tally(lane.workspaceId, importId, 1)).toEqual([
        { ...gap, cause: 'banned', count: 2, people: ['2'] },
        { ...gap, cause: 'deleted', count: 1, people: ['1'] },
        { kind: 'profile', standing: 'got', cause: null, detail: null, count: 3, people: [] },
      ]);
    });

    it('withdraws the open items of a cancelled import, also those that calls bring back', async () => {
      await start({ seeds: ['1', '2', '3'] });
      const running = await dispatch('lists', 1);
      const [first] = (await under.ledger.find(running))?.people ?? [];
      await under.ledger.begin(running);
      const queued = await dispatch('lists', 1);
      // Kept by a process that did not come to note that the call was begun.
      const answer = keptAnswer('2');
      expect(await under.ledger.keep(queued, answer)).toBe(true);
      await under.imports.change(lane.workspaceId, importId, (job) => job.step('cancel', 2));
      expect((await under.ledger.find(queued))?.kept).toBeUndefined();
      await under.ledger.finish(running, {
        ...NOTHING,
        again: [{ person: String(first), readyInMs: 0, refund: false, cause: 'error 10' }],
        found: [{ person: '5', depth: 1 }],
      });
      await under.ledger.putBack(queued, { holdMs: 0, refund: false });
      const gone = { standing: 'gap', cause: 'withdrawn', count: 3, people: ['1', '2', '3'] };
      expect(await under.imports.tally(lane.workspaceId, importId, 5)).toEqual([
        { ...gone, kind: 'friends', detail: 'error 10' },
        { ...gone, kind: 'profile', detail: null },
      ]);
      expect((await found()).job.snapshot.state).toBe('cancelled');
      expect(await under.announced(importId)).toEqual(['running', 'cancelled']);
    });

    it('goes round imports: the one that waited longest comes first', async () => {
      const other = under.id();
      await start({ seeds: ['1', '2'] });
      await under.imports.add(anImport({ id: other, workspaceId: lane.workspaceId }));
      expect((await view()).work.map((of) => of.importId)).toEqual([importId, other]);
      await dispatch('lists', 1);
      expect((await view()).work.map((of) => of.importId)).toEqual([other, importId]);
      await dispatch('lists', 1, other);
      expect((await view()).work.map((of) => of.importId)).toEqual([importId, other]);
    });

    it('puts back calls whose message must be lost', async () => {
      await start();
      const callId = await dispatch('lists', 1);
      await under.ledger.reviveStale(60_000);
      expect((await under.ledger.find(callId))?.wanted).toBe(true);
      await under.age(60_001);
      expect(await under.ledger.reviveStale(60_000)).toBeGreaterThanOrEqual(1);
      expect((await under.ledger.find(callId))?.wanted).toBe(false);
      expect(await work()).toMatchObject({ ready: { lists: 1 } });
    });

    it('takes a call up anew whose answer is kept, instead of asking again', async () => {
      await start();
      const callId = await dispatch('lists', 1);
      await under.ledger.begin(callId);
      const answer = keptAnswer('1');
      await under.ledger.keep(callId, answer);
      await under.age(60_001);
      expect(await under.ledger.reviveStale(60_000)).toBeGreaterThanOrEqual(1);
      expect(await under.ledger.find(callId)).toMatchObject({ wanted: true, kept: answer });
      expect(await work()).toMatchObject({ ready: {} });
    });

    it('changes nothing of an import when its step throws', async () => {
      await start();
      await expect(
        under.imports.change(lane.workspaceId, importId, () => {
          throw new Error('refused');
        }),
      ).rejects.toThrow('refused');
      expect((await found()).job.snapshot.state).toBe('running');
    });

    it('shows a workspace its own imports only', async () => {
      await start();
      expect(await under.imports.find('another', importId)).toBeUndefined();
      expect(await under.imports.page('another', 10)).toEqual([]);
      expect(await under.imports.tally('another', importId, 10)).toEqual([]);
      expect(await under.imports.change('another', importId, (job) => job)).toBeUndefined();
    });

    it('keeps everything of an import, and pages newest first', async () => {
      const full = anImport({
        id: importId,
        workspaceId: lane.workspaceId,
        seeds: ['1', '2'],
        depth: 3,
        peopleLimit: 10,
        callsLimit: 20,
        createdBy: 'Ada',
        createdAt: 1_700_000_000_123,
      });
      await under.imports.add(full);
      expect((await found()).job.snapshot).toEqual(full.snapshot);
      const second = under.id();
      await under.imports.add(anImport({ id: second, workspaceId: lane.workspaceId }));
      const ids = async (limit: number, after?: string) =>
        (await under.imports.page(lane.workspaceId, limit, after)).map(({ job }) => job.snapshot.id);
      expect(await ids(5)).toEqual([second, importId]);
      expect(await ids(1)).toEqual([second]);
      expect(await ids(5, second)).toEqual([importId]);
    });
  });
}
