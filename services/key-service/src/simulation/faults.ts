import type { Chance } from './chance';
import type { KeyOwner } from './key-owner';
import type { Answer, Provider } from './provider';
import type { RestoredData, SimulatedServer } from './simulated-redis';
import type { LedgerWatch } from './watched-ledger';
import type { Scenario } from './scenario';
import { STEPS } from './standstill';
import type { SimulatedWorker } from './worker';
import type { Mishaps } from './worker-messages';
import type { World } from './world';

/** What a fault may get at. */
export interface Stage {
  world: World;
  server: SimulatedServer;
  provider: Provider;
  owner: KeyOwner;
  watch: LedgerWatch;
  mishaps: Mishaps;
  scenario: Scenario;
  worker(): SimulatedWorker;
  replaceWorker(): void;
  replaceService(): void;
  losingReplies(probability: number): void;
  /** The run's figures of all keys, to which changed ones come back. */
  quotaOf(keyId: string): number;
}

export type Fault = (stage: Stage) => void;

const SECOND = 1_000_000;

/** Until when a fault that lasts goes on: short and long ones alike. */
function duration(chance: Chance): number {
  return chance.spread(0.2 * SECOND, 4 * SECOND);
}

function storm(answers: Answer[]): Fault {
  return ({ world, provider, owner }) => {
    const { chance, time } = world;
    const some = owner.keys.filter(() => chance.flip(0.5)).map(({ id }) => id as string);
    const mine = {
      answers,
      share: chance.between(0.2, 1),
      keys: chance.flip(0.5) ? undefined : new Set(some),
    };
    provider.storm = mine;
    world.note('STORM', JSON.stringify(answers), mine.share, some.join());
    time.after(duration(chance), () => {
      if (provider.storm !== mine) return;
      provider.storm = undefined;
      world.note('the storm is over');
    });
  };
}

function restart(data: RestoredData): Fault {
  return (stage) => {
    const { world, server, watch } = stage;
    const { chance, time } = world;
    const snapshot = data === 'older' ? server.writeDisk() : Promise.resolve();
    time.woke();
    void snapshot.then(() =>
      time.after(data === 'older' ? chance.spread(0.05 * SECOND, 2 * SECOND) : 1, () => {
        world.note('REDIS RESTARTS', data);
        watch.forgotten();
        time.woke();
        void server.restart(data);
        server.away(chance.spread(10_000, 3 * SECOND));
      }),
    );
  };
}

function change(run: (stage: Stage, keyId: string) => void): Fault {
  return (stage) => run(stage, stage.world.chance.pick(stage.owner.keys).id);
}

/** Every kind of fault with its share. */
const FAULTS: readonly [number, string, Fault][] = [
  [2, 'a worker dies', ({ replaceWorker }) => replaceWorker()],
  [
    2,
    'a worker stands still',
    ({ world, worker }) => worker().freeze(world.chance.spread(0.05, 60) * SECOND),
  ],
  [
    3,
    'a worker stands still before a step',
    ({ world, worker }) =>
      worker().freezeBefore(world.chance.pick(STEPS), world.chance.spread(0.05, 60) * SECOND),
  ],
  [
    1,
    'a machine is suspended',
    ({ world, worker }) => worker().suspend(world.chance.spread(0.2, 60) * SECOND),
  ],
  [
    1,
    'a wall clock is set',
    ({ world, worker }) => worker().clock.stepWall(world.chance.between(-300_000, 300_000)),
  ],
  [
    2,
    'messages are lost',
    ({ world, mishaps }) => {
      mishaps.lost = world.chance.between(0.1, 0.5);
      world.time.after(duration(world.chance), () => (mishaps.lost = 0));
    },
  ],
  [
    2,
    'messages come twice',
    ({ world, mishaps }) => {
      mishaps.twice = world.chance.between(0.2, 1);
      world.time.after(duration(world.chance), () => (mishaps.twice = 0));
    },
  ],
  [
    2,
    'replies of Redis are lost',
    ({ world, losingReplies }) => {
      losingReplies(world.chance.between(0.1, 0.5));
      world.time.after(duration(world.chance), () => losingReplies(0));
    },
  ],
  [1, 'a key-service is killed', ({ replaceService }) => replaceService()],
  [
    2,
    'FLUSHALL',
    ({ server, watch }) => {
      watch.forgotten();
      server.flushAll();
    },
  ],
  [1, 'Redis restarts with all data', restart('all')],
  [2, 'Redis restarts with older data', restart('older')],
  [1, 'Redis restarts empty', restart('nothing')],
  [1, 'Redis is away', ({ world, server }) => server.away(world.chance.spread(0.05, 3) * SECOND)],
  [
    1,
    'FUNCTION FLUSH',
    ({ server, watch }) => {
      watch.forgotten();
      server.flushFunctions();
    },
  ],
  [
    2,
    'the clock of Redis is set',
    ({ world, server, watch }) => {
      const by = (world.chance.flip(0.5) ? 1 : -1) * world.chance.between(0.26, 2) * SECOND;
      world.note('by', by / 1000);
      watch.forgotten();
      server.stepClock(Math.round(by));
    },
  ],
  [
    2,
    'the clock of Redis is set a little',
    ({ world, server, watch }) => {
      const by = (world.chance.flip(0.5) ? 1 : -1) * world.chance.between(0.03, 0.25) * SECOND;
      world.note('by', by / 1000);
      watch.forgotten();
      server.stepClock(Math.round(by));
    },
  ],
  [1, 'error 6 without a cause', storm([{ status: 200, code: 6 }])],
  [1, 'Retry-After', storm([{ status: 429, retryAfterMs: 2500 }, { status: 429 }])],
  [1, 'error 29', storm([{ status: 200, code: 29 }])],
  [
    2,
    'every key meets a limit of a method',
    ({ world, provider }) => {
      const mine = { answers: [{ status: 200, code: 29 }], share: 1, keys: undefined };
      provider.storm = mine;
      world.time.after(world.chance.between(2, 4) * SECOND, () => {
        if (provider.storm === mine) provider.storm = undefined;
      });
    },
  ],
  [1, 'error 29 inside packed calls', storm([{ status: 200, code: 29, inner: true }])],
  [1, 'error 5', storm([{ status: 200, code: 5, text: 'User authorization failed' }, { status: 401 }])],
  [1, 'server errors', storm([{ status: 500 }, { status: 502 }, { status: 503 }])],
  [
    1,
    'errors 9 and 14',
    storm([
      { status: 200, code: 9 },
      { status: 200, code: 14 },
    ]),
  ],
  [
    1,
    'another address',
    storm([
      {
        status: 200,
        code: 5,
        text: 'User authorization failed: access_token was given to another ip address.',
      },
      { status: 200, code: 42, text: 'Access denied' },
    ]),
  ],
  [1, 'errors of nobody', storm([1, 10, 13, 15, 18, 30].map((code) => ({ status: 200, code })))],
  [
    1,
    'a method is refused to a key',
    change(({ world, provider }, keyId) => {
      provider.refusedMethods.add(`${keyId} ${world.chance.pick(['friends.get', 'users.get'])}`);
    }),
  ],
  [1, 'a key dies', change(({ owner }, keyId) => owner.die(keyId))],
  [
    1,
    'a key dies and is renewed at once',
    change(({ world, owner }, keyId) => {
      owner.die(keyId);
      world.time.after(world.chance.spread(5_000, 500_000), () => owner.renew(keyId));
    }),
  ],
  [
    2,
    'a key is paused',
    change(({ world, owner }, keyId) => {
      owner.become(keyId, 'paused');
      world.time.after(duration(world.chance), () => {
        if (owner.key(keyId).state === 'paused') owner.become(keyId, 'active');
      });
    }),
  ],
  [2, 'a key is renewed', change(({ owner }, keyId) => owner.renew(keyId))],
  [
    2,
    'the limit of a key is changed',
    change(({ world, owner, quotaOf }, keyId) => {
      const usual = quotaOf(keyId);
      owner.limit(keyId, world.chance.whole(1, usual));
      world.time.after(duration(world.chance), () => owner.limit(keyId, usual));
    }),
  ],
  [
    1,
    'another program uses a key',
    change(({ world, provider, owner }, keyId) => {
      const { chance, time } = world;
      const until = time.micros + chance.between(2, 15) * SECOND;
      const call = (): void => {
        if (time.micros > until) return;
        provider.foreign(owner.key(keyId).details.bucket);
        time.after(SECOND, call);
      };
      call();
    }),
  ],
];

/** Faults of runs whose path changes. */
const OF_PATHS: typeof FAULTS = [
  [
    12,
    'the path changes',
    ({ world, provider, scenario }) => {
      const { chance, time } = world;
      const usual = scenario.path.jitter;
      const worse = chance.between(usual, scenario.worstJitter ?? usual);
      world.note('JITTER', worse / 1000);
      provider.changeJitter(worse);
      time.after(chance.between(3, 30) * SECOND, () => provider.changeJitter(usual));
    },
  ],
];

/** A new memory grants nothing before. */
const FIRST = 2.5 * SECOND;

export interface PlannedFault {
  /** Microseconds from the start. */
  at: number;
  name: string;
  run: Fault;
}

/** Five to nine faults of a run; each kind as often as its share says. */
export function drawFaults(chance: Chance, scenario: Scenario): PlannedFault[] {
  const faults = scenario.worstJitter === undefined ? FAULTS : [...FAULTS, ...OF_PATHS];
  const total = faults.reduce((sum, [share]) => sum + share, 0);
  const planned: PlannedFault[] = [];
  let at = FIRST;
  for (let left = chance.whole(5, 9); left > 0; left -= 1) {
    at += chance.spread(0.2 * SECOND, 4 * SECOND);
    let drawn = chance.between(0, total);
    const [, name, run] = faults.find(([share]) => (drawn -= share) < 0) ?? (faults[0] as (typeof FAULTS)[0]);
    planned.push({ at, name, run });
  }
  return planned;
}
