/** What `npm run bench:lease` may be told. */
export interface LeaseBenchArguments {
  readonly keys: number;
  readonly seconds: number;
  readonly rate: number;
  readonly concurrency: readonly number[];
  readonly serviceCore: number;
  readonly clientCore: number;
  /** Undefined: the kernel decides. */
  readonly redisCore: number | undefined;
  readonly json: string | undefined;
  readonly profile: string | undefined;
  readonly check: boolean;
}

export const USAGE = `npm run bench:lease -- [options]
  --keys N           keys of 20 calls a second each (1000)
  --seconds N        length of each phase (10)
  --rate N           requests a second of the open loop (1000)
  --concurrency A,B  requests in flight of the closed loop, one phase each (8,32,64,128)
  --service-core N   core of key-service (0)
  --client-core N    core of broker and client (1)
  --redis-core N     core of Redis (any)
  --json FILE        writes the figures there as well
  --profile FOLDER   writes a CPU profile of key-service there
  --check            exit code 1 when a bar is missed`;

export class ArgumentFault extends Error {}

export function leaseBenchArguments(argv: readonly string[]): LeaseBenchArguments {
  const given = new Map<string, string>();
  const flags = new Set<string>();
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] as string;
    if (word === '--') continue;
    if (word === '--check' || word === '--help') flags.add(word.slice(2));
    else if (VALUED.has(word) && argv[at + 1] !== undefined)
      given.set(word.slice(2), argv[(at += 1)] as string);
    else throw new ArgumentFault(`${word}: unknown, or its value is missing\n${USAGE}`);
  }
  if (flags.has('help')) throw new ArgumentFault(USAGE);
  const count = (name: string, usual: number, least: number): number => {
    const value = Number(given.get(name) ?? usual);
    if (!Number.isInteger(value) || value < least)
      throw new ArgumentFault(`--${name} must be a whole number from ${least}`);
    return value;
  };
  const concurrency = (given.get('concurrency') ?? '8,32,64,128').split(',').map(Number);
  if (concurrency.some((each) => !Number.isInteger(each) || each < 1))
    throw new ArgumentFault('--concurrency must be whole numbers from 1, with commas between them');
  return {
    keys: count('keys', 1000, 1),
    seconds: count('seconds', 10, 1),
    rate: count('rate', 1000, 1),
    concurrency,
    serviceCore: count('service-core', 0, 0),
    clientCore: count('client-core', 1, 0),
    redisCore: given.has('redis-core') ? count('redis-core', 0, 0) : undefined,
    json: given.get('json'),
    profile: given.get('profile'),
    check: flags.has('check'),
  };
}

const VALUED = new Set(
  [
    'keys',
    'seconds',
    'rate',
    'concurrency',
    'service-core',
    'client-core',
    'redis-core',
    'json',
    'profile',
  ].map((name) => `--${name}`),
);
