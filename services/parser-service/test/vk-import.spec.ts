import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, ProcessHandle } from '@sociograph/testing';
import { DispatchCalls } from '../src/application/dispatch-calls';
import { PerformCall } from '../src/application/perform-call';
import { ReadImports } from '../src/application/read-imports';
import { StartImport, type StartImportCommand } from '../src/application/start-import';
import type { Certificate } from '../src/domain/certificate';
import type { Observation } from '../src/domain/observation';
import type { PackKind } from '../src/domain/packing';
import { Networks } from '../src/domain/ports';
import { MemoryImports, MemoryStore } from '../src/infrastructure/in-memory';
import { MemoryCallLedger } from '../src/infrastructure/in-memory-calls';
import { MemoryAnswerFaults, MemoryObservationLog, MemoryPause } from '../src/infrastructure/in-memory-edges';
import { VkNetwork } from '../src/infrastructure/networks/vk/client';
import { CountedIds } from './builders';
import { SpacedKeyPool } from './spaced-key-pool';

jest.setTimeout(60_000);

const TOKENS = Array.from({ length: 8 }, (_, index) => `vk1.a.spec-${index}`);
/** The keys of this spec may call a hundred times a second: what is tried is what is asked, not when. */
const SPACING_MS = 25;
const root = join(__dirname, '..', '..', '..');

/** A ring of 300 people with chords, as the simulator numbers them: 1 to 300. */
const PEOPLE = 300;
const CROWD = 60_000;
const edges = Array.from({ length: PEOPLE }, (_, index) => [
  [index + 1, ((index + 1) % PEOPLE) + 1],
  [index + 1, ((index + 7) % PEOPLE) + 1],
]).flat();
const everybody = Array.from({ length: PEOPLE }, (_, index) => String(index + 1));
const BIG_GROUP = 20_000_001;

let folder: string;
let simulator: ProcessHandle;
let url: string;
let clockMs = 0;

beforeAll(async () => {
  const main = join(root, 'infra', 'vk-simulator', 'dist', 'main.js');
  if (!existsSync(main)) throw new Error('the VK simulator is not built: npx nx run vk-simulator:build');
  folder = mkdtempSync(join(tmpdir(), 'parser-spec-'));
  writeFileSync(join(folder, 'graph.txt'), edges.map(([a, b]) => `${a} ${b}`).join('\n'));
  writeFileSync(
    join(folder, 'tokens.json'),
    JSON.stringify(TOKENS.map((token) => ({ token, perSecond: 100 }))),
  );
  const world = [
    ...['--private', '11,12', '--hidden', '13', '--deleted', '14', '--banned', '15', '--hidden-groups', '16'],
    ...['--closed-walls', '17,-20000003', '--blocked-walls', '18', '--posts', '40', '--crowd', String(CROWD)],
    ...['--hidden-members', '20000004', '--private-groups', '20000005', '--banned-groups', '20000006'],
    ...[
      '--budget',
      'none',
      '--hidden-budget',
      'none',
      '--call-time',
      'wall.get=20',
      '--execute-timeout',
      '200',
    ],
  ];
  simulator = await new ProcessHandle({
    command: process.execPath,
    args: [
      ...[main, '--graph', join(folder, 'graph.txt'), '--tokens-file', join(folder, 'tokens.json')],
      ...['--port', '0', '--delay', '1', '--id-shift', '0', ...world],
    ],
    cwd: root,
  }).start();
  const line = await simulator.waitFor(/http:\/\/[^/]+\/method/);
  url = /(http:\/\/[^/]+)\/method/.exec(line)?.[1] ?? '';
});

afterAll(async () => {
  await simulator?.end();
  rmSync(folder, { recursive: true, force: true });
});

afterEach(() => fetch(`${url}/reset`, { method: 'POST' }));

async function page<T>(path: string, method = 'GET'): Promise<T> {
  const answer = await fetch(`${url}${path}`, { method });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

interface Imported {
  certificate: Certificate;
  seen: Observation[];
  /** Items of each call that was made. */
  packs(kind: PackKind): number[];
  store: MemoryStore;
  faults: MemoryAnswerFaults;
}

/** An import from its start to its last item, without servers: dispatch and calls of one process, as they come. */
async function imported(asked: Partial<StartImportCommand>): Promise<Imported> {
  const clock = { nowMs: () => Date.now() + clockMs, monotonicMs: () => performance.now() + clockMs };
  const store = new MemoryStore(clock.nowMs);
  const imports = new MemoryImports(store);
  const ledger = new MemoryCallLedger(store);
  const pool = new SpacedKeyPool(`${url}/method`, TOKENS, SPACING_MS);
  const networks = new Networks([new VkNetwork()]);
  const log = new MemoryObservationLog();
  const faults = new MemoryAnswerFaults();
  const ids = new CountedIds('call');
  const pause = new MemoryPause();
  const dispatch = new DispatchCalls(ledger, pool, networks, ids);
  const perform = new PerformCall(ledger, pool, networks, log, clock, ids, pause, faults);
  const start = new StartImport(imports, pool, networks, clock, new CountedIds('import'));
  const command = { network: 'vk', seeds: everybody, depth: 1, peopleLimit: null, callsLimit: null };
  try {
    await start.handle({ workspaceId: 'demo', startedBy: 'spec', ...command, ...asked });
    let taken = 0;
    await eventually(
      async () => {
        await dispatch.round();
        const calls = store.sent.slice(taken);
        taken += calls.length;
        await Promise.all(calls.map((callId) => perform.perform(callId)));
        // Waits between tries pass at once.
        clockMs += 2_000;
        const state = store.imports.get('import-1')?.job.snapshot.state;
        if (state !== 'settling') throw new Error(`still ${state}`);
      },
      { timeoutMs: 40_000, everyMs: 1 },
    );
    return {
      certificate: await new ReadImports(imports, undefined as never, undefined as never).certificate(
        'demo',
        'import-1',
      ),
      seen: log.seen.map(({ observation }) => observation),
      packs: (kind) =>
        [...store.calls.values()]
          .filter(({ call }) => call.kind === kind)
          .map(({ call }) => call.people.length),
      store,
      faults,
    };
  } finally {
    pool.close();
  }
}

const gapsOf = ({ certificate }: Imported, what: string) =>
  certificate.gaps.filter((gap) => gap.what === what).map(({ cause, people }) => ({ cause, people }));

function of<K extends Observation['kind']>(seen: readonly Observation[], kind: K) {
  return seen.filter((one): one is Extract<Observation, { kind: K }> => one.kind === kind);
}

describe('an import from the simulator of VK', () => {
  it('reads friends, groups and subscriptions in full packs, and certifies each refusal with its cause', async () => {
    const run = await imported({ include: ['friends', 'groups', 'subscriptions'] });
    for (const kind of ['lists', 'groups', 'subscriptions'] as const) {
      expect([kind, run.packs(kind)]).toEqual([kind, Array(12).fill(25)]);
    }
    const closed = [
      { cause: 'banned', people: ['15'] },
      { cause: 'deleted', people: ['14'] },
    ];
    const shut = { cause: 'private', people: ['11', '12'] };
    expect(gapsOf(run, 'list')).toEqual([...closed, { cause: 'hidden', people: ['13'] }, shut]);
    expect(gapsOf(run, 'groups')).toEqual([...closed, { cause: 'hidden', people: ['16'] }, shut]);
    expect(gapsOf(run, 'subscriptions')).toEqual([...closed, shut]);
    expect(run.certificate).toMatchObject({
      final: true,
      expected: { people: PEOPLE },
      got: { people: PEOPLE },
    });

    const groups = new Map(
      (await page<{ groups: { id: number }[] }>('/groups')).groups.map(({ id }) => [id, id]),
    );
    const lists = of(run.seen, 'subscription-list');
    const memberships = lists.filter(({ list, outcome }) => list === 'groups' && outcome === 'complete');
    const { members } = await page<{ members: number[] }>(`/groups?members=${BIG_GROUP + 7}`);
    const inGroup = memberships
      .filter(({ ids }) => ids.includes(String(BIG_GROUP + 7)))
      .map(({ person }) => Number(person));
    const unseen = [11, 12, 14, 15, 16];
    expect(inGroup.sort((a, b) => a - b)).toEqual(members.filter((id) => !unseen.includes(id)));
    const met = new Set(lists.filter(({ list }) => list !== 'people').flatMap(({ ids }) => ids));
    expect(new Set(of(run.seen, 'group').map(({ groupId }) => groupId))).toEqual(met);
    expect([...met].every((id) => groups.has(Number(id)))).toBe(true);
    expect(run.packs('group-profiles')).toEqual([met.size]);
    expect(new Set(lists.map(({ list }) => list))).toEqual(new Set(['groups', 'pages', 'people']));
  });

  it('reads walls of people and groups since a date, in packs that follow error 36', async () => {
    const since = Date.UTC(2025, 9, 1);
    const groups = ['club20000002', '-20000003', '-20000006'];
    const run = await imported({
      seeds: [...everybody, ...groups],
      include: ['walls'],
      walls: { since },
    });
    const posts = new Set(of(run.seen, 'post').map(({ postId }) => postId));
    const expected: string[] = [];
    for (const owner of [...everybody.map(Number), -20_000_002]) {
      if ([11, 12, 14, 15, 17, 18].includes(owner)) continue;
      const wall = await page<{ posts: { post: string; date: number }[] }>(`/walls?owner=${owner}`);
      expected.push(...wall.posts.filter(({ date }) => date * 1_000 >= since).map(({ post }) => post));
    }
    expect(expected.length).toBeGreaterThan(300);
    expect(posts).toEqual(new Set(expected));
    expect(gapsOf(run, 'wall')).toEqual([
      { cause: 'banned', people: ['15'] },
      { cause: 'deleted', people: ['-20000006', '14'] },
      { cause: 'hidden', people: ['-20000003', '17', '18'] },
      { cause: 'private', people: ['11', '12'] },
    ]);
    // 20 ms a wall and 200 ms an execute: eleven are too many. No wall is called more than twice again for a page.
    const made = new Map<string, number>();
    for (const { call, state } of run.store.calls.values()) {
      if (call.kind !== 'walls' || state !== 'split') continue;
      for (const person of call.people) made.set(person, (made.get(person) ?? 0) + 1);
    }
    expect(Math.max(0, ...made.values())).toBeLessThanOrEqual(2);
    expect(run.store.sizes.get('demo vk walls')).toBeGreaterThan(5);
    expect(run.store.sizes.get('demo vk walls')).toBeLessThanOrEqual(11);
  });

  it('reads the last posts of a long wall page by page', async () => {
    const run = await imported({ seeds: ['-20000002'], include: ['walls'], walls: { last: 130 } });
    const wall = await page<{ posts: { post: string; date: number }[] }>('/walls?owner=-20000002');
    const newest = wall.posts.sort((a, b) => b.date - a.date).map(({ post }) => post);
    const seen = of(run.seen, 'post').map(({ postId }) => postId);
    expect(new Set(seen)).toEqual(new Set(newest.slice(0, 130)));
  });

  it('reads the members of a group of 60,000 in three calls; each of them is a person then, up to a limit', async () => {
    const run = await imported({ seeds: [`club${BIG_GROUP}`], include: ['members'], peopleLimit: 500 });
    const { members } = await page<{ members: number[] }>(`/groups?members=${BIG_GROUP}`);
    expect(members.length).toBeGreaterThan(CROWD);
    const pages = of(run.seen, 'member-page');
    expect(pages.map(({ part }) => part)).toEqual([0, 1, 2]);
    expect(pages.flatMap(({ memberIds }) => memberIds.map(Number))).toEqual(members);
    expect(of(run.seen, 'members-closed')).toMatchObject([
      { parts: 3, count: members.length, complete: true },
    ]);
    expect(run.certificate.kinds).toEqual([
      { what: 'person', expected: members.length, got: 500, open: 0, gaps: members.length - 500 },
      { what: 'group', expected: 1, got: 1, open: 0, gaps: 0 },
      { what: 'members', expected: 1, got: 1, open: 0, gaps: 0 },
    ]);
  });

  it('certifies groups whose members nobody sees', async () => {
    const run = await imported({
      seeds: ['-20000004', '-20000005', '-20000006', '-29999999'],
      include: ['members'],
      callsLimit: 50,
    });
    expect(gapsOf(run, 'members')).toEqual([
      { cause: 'hidden', people: ['-20000004'] },
      { cause: 'private', people: ['-20000005', '-20000006'] },
      { cause: 'unknown', people: ['-29999999'] },
    ]);
    expect(gapsOf(run, 'group')).toEqual([{ cause: 'unknown', people: ['-29999999'] }]);
  });

  it('resolves names first, and imports whom they mean', async () => {
    const { groups } = await page<{ groups: { id: number; screenName: string }[] }>('/groups');
    const named = groups.find(({ screenName }) => /_\d+$/.test(screenName));
    const run = await imported({
      seeds: [named?.screenName ?? '', 'id7', 'nobody.has.this'],
      include: ['friends'],
    });
    expect([...run.store.calls.values()][0]?.call).toMatchObject({ kind: 'names' });
    expect(of(run.seen, 'group').map(({ groupId }) => groupId)).toEqual([String(named?.id)]);
    expect(of(run.seen, 'friend-list').map(({ person }) => person)).toEqual(['7']);
    expect(gapsOf(run, 'name')).toEqual([{ cause: 'unknown', people: ['@nobody.has.this'] }]);
  });

  it('imports no field that was not asked for', async () => {
    const plain = of((await imported({ include: ['profiles'] })).seen, 'person');
    expect(new Set(plain.flatMap(({ profile }) => Object.keys(profile)))).toEqual(
      new Set(['firstName', 'lastName', 'closed']),
    );
    const asked = of((await imported({ include: ['profiles'], fields: ['sex', 'city'] })).seen, 'person');
    expect(new Set(asked.flatMap(({ profile }) => Object.keys(profile)))).toEqual(
      new Set(['firstName', 'lastName', 'closed', 'sex', 'city']),
    );
  });

  it.each([
    ['friends', 'list', 'without:response.*.items', 'response[0].items'],
    ['groups', 'groups', 'retyped:response.*.count', 'response[0].count'],
    ['walls', 'wall', 'without:response.*.items.*.date', 'response[0].items[0].date'],
  ] as const)(
    'takes a changed API for %s as gaps that name the field',
    async (include, what, answer, path) => {
      await page(`/faults?key=*&method=execute&answer=${answer}`, 'POST');
      const run = await imported({ seeds: ['7'], include: [include] });
      const gap = run.certificate.gaps.find((one) => one.what === what);
      expect(gap).toMatchObject({ cause: 'unreadable', people: ['7'] });
      expect(gap?.detail).toContain(path);
      expect(run.faults.noted).toHaveLength(3);
      expect(run.faults.noted[0]?.path).toContain(path);
      expect(run.certificate.final).toBe(true);
    },
  );

  it('comes through errors of single calls, with or without the copy of the last error', async () => {
    await page('/faults?key=*&method=groups.get&share=0.1&answer=10', 'POST');
    const run = await imported({ include: ['groups'] });
    expect(run.certificate.gaps.filter(({ cause }) => cause === 'gave-up')).toEqual([]);
    expect(gapsOf(run, 'groups').flatMap(({ people }) => people)).toHaveLength(5);
  });
});
