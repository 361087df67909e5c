import type { SeededRandomness, ServerName } from '@sociograph/testing';

export const PROCESSES = [
  'key-service-0',
  'parser-service-0',
  'graph-storage-service-0',
  'read-model-projector-0',
  'identity-service-0',
  'gateway',
  'jwks-reconciler',
] as const;
export type ProcessName = (typeof PROCESSES)[number];

export const SERVERS = [
  'postgres',
  'redis-pool',
  'redis-cache',
  'rabbitmq',
  'kafka',
  'keycloak',
  'arango-embedded',
] as const satisfies readonly ServerName[];
export type FaultyServer = (typeof SERVERS)[number];

/** One thing that goes wrong. */
export type Fault =
  /** SIGKILL and SIGTERM; the supervisor starts it again. */
  | { readonly kind: 'kill' | 'term'; readonly target: ProcessName }
  /** SIGSTOP for so long. */
  | { readonly kind: 'freeze'; readonly target: ProcessName; readonly forMs: number }
  /** SIGKILL, started again after so long. */
  | { readonly kind: 'crash'; readonly target: FaultyServer; readonly awayMs: number }
  /** Ended in its own clean way and started again. */
  | { readonly kind: 'restart'; readonly target: FaultyServer }
  /** All its connections break; new ones are taken at once. */
  | { readonly kind: 'cut'; readonly target: FaultyServer }
  /** It is not reachable (refuse), or swallows what it is sent (stall). */
  | { readonly kind: 'refuse' | 'stall'; readonly target: FaultyServer; readonly forMs: number }
  /** Every chunk on the way to it and back takes so much longer. */
  | { readonly kind: 'delay'; readonly target: FaultyServer; readonly byMs: number; readonly forMs: number };

export interface Step {
  readonly fault: Fault;
  /** Quiet before it. */
  readonly pauseMs: number;
}

const OF_PROCESSES = ['kill', 'term', 'freeze'] as const;
const OF_SERVERS = ['crash', 'restart', 'cut', 'refuse', 'stall', 'delay'] as const;
export const KINDS = [...OF_PROCESSES, ...OF_SERVERS] as const;

/** Milliseconds, least and most of what is drawn. */
const DRAWN = {
  pause: [1_000, 4_000],
  freeze: [500, 15_000],
  away: [100, 6_000],
  unreachable: [500, 12_000],
  delay: [20, 150],
  slow: [3_000, 8_000],
} as const satisfies Record<string, readonly [number, number]>;

export interface Cell {
  readonly kind: (typeof KINDS)[number];
  readonly target: ProcessName | FaultyServer;
}

/** Every kind with every target that it can hit. */
export const MATRIX: readonly Cell[] = [
  ...OF_PROCESSES.flatMap((kind) => PROCESSES.map((target) => ({ kind, target }))),
  ...OF_SERVERS.flatMap((kind) => SERVERS.map((target) => ({ kind, target }))),
];

/** The cells that a word chooses: a kind, a target (`parser-service` is all its processes), or `kind:target`. */
export function chosenBy(word: string): Cell[] {
  const [first = '', second] = word.split(':');
  const isTarget = (target: string, name: string): boolean =>
    target === name || target.replace(/-\d+$/, '') === name;
  return MATRIX.filter(({ kind, target }) =>
    second === undefined
      ? kind === first || isTarget(target, first)
      : kind === first && isTarget(target, second),
  );
}

/** Without an end: every cell once in an order drawn by chance, then all of them in another. The same seed, the same steps. */
export function* planOf(random: SeededRandomness, cells: readonly Cell[]): Generator<Step, never> {
  if (cells.length === 0) throw new Error('no fault was chosen');
  for (;;) {
    for (const cell of random.shuffle(cells))
      yield { pauseMs: between(random, DRAWN.pause), fault: faultOf(random, cell) };
  }
}

function faultOf(random: SeededRandomness, { kind, target }: Cell): Fault {
  const draw = (range: keyof typeof DRAWN): number => between(random, DRAWN[range]);
  const process = target as ProcessName;
  const server = target as FaultyServer;
  switch (kind) {
    case 'kill':
    case 'term':
      return { kind, target: process };
    case 'freeze':
      return { kind, target: process, forMs: draw('freeze') };
    case 'crash':
      return { kind, target: server, awayMs: draw('away') };
    case 'restart':
    case 'cut':
      return { kind, target: server };
    case 'refuse':
    case 'stall':
      return { kind, target: server, forMs: draw('unreachable') };
    case 'delay':
      return { kind, target: server, byMs: draw('delay'), forMs: draw('slow') };
  }
}

/** `stall kafka for 3.2 s`. */
export function wordsOf(fault: Fault): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const name = `${fault.kind} ${fault.target}`;
  if ('byMs' in fault) return `${name} by ${fault.byMs} ms for ${seconds(fault.forMs)}`;
  if ('forMs' in fault) return `${name} for ${seconds(fault.forMs)}`;
  return 'awayMs' in fault ? `${name}, back after ${seconds(fault.awayMs)}` : name;
}

function between(random: SeededRandomness, [least, most]: readonly [number, number]): number {
  return Math.round(least * (most / least) ** random.next());
}
