/** Kinds of token that networks know. */
export type KeyKind = 'user' | 'service' | 'community';

export const KEY_KINDS: readonly KeyKind[] = ['user', 'service', 'community'];

export const STRATEGIES = ['earliest-free', 'round-robin', 'weighted', 'least-used'] as const;

export type Strategy = (typeof STRATEGIES)[number];

/** What the pool must know of a network; learned values come on top of it later. Times in milliseconds. */
export interface NetworkRules {
  readonly network: string;
  /** How the network counts. A setting, never guessed; `sliding` is the strictest reading. */
  readonly windowKind: 'sliding' | 'fixed';
  /**
   * Where fixed windows begin: at whole multiples of `windowMs` on the network's clock, or with the first call that
   * was ever made by a key; they follow one another without a gap. (Windows that begin anew with the first call after
   * the last one ended are not `fixed`: `sliding` keeps them.)
   */
  readonly windowAlignment: 'clock' | 'first-call';
  readonly windowMs: number;
  /** Calls per window of a key, where its owner gave no lower figure. */
  readonly quotas: Readonly<Record<KeyKind, number>>;
  /**
   * From `notBefore` to the latest arrival, before anything was learned: the slack below is part of it, the rest is
   * the spread of the path's delay.
   */
  readonly marginMs: number;
  /** `notAfter` - `notBefore`. */
  readonly slackMs: number;
  /**
   * How far ahead slots are dealt. The later one is dealt, the more is known of the calls before it, and the sooner
   * a pause, a cancelled import or a newcomer's turn takes effect; workers need a few milliseconds. Who asks for slots
   * that lie farther ahead (`leadMs`) is dealt them as much sooner.
   */
  readonly horizonMs: number;
  /** Which key of several that are free is taken; `earliest-free` unless told. */
  readonly strategy?: Strategy | undefined;
  /** Calls per window from one egress address, all keys together; unlimited unless told. */
  readonly egressQuota?: number | undefined;
  /** Calls per method in a rolling day that the network declares; keys may have figures of their own. */
  readonly methodsPerDay?: Readonly<Record<string, number>>;
  /** Kinds that may call a method; methods that are not listed are for user tokens only. */
  readonly callers: Readonly<Record<string, readonly KeyKind[]>>;
}

const ALL: readonly KeyKind[] = KEY_KINDS;
const NOT_COMMUNITY: readonly KeyKind[] = ['user', 'service'];

const VK: NetworkRules = {
  network: 'vk',
  windowKind: 'sliding',
  windowAlignment: 'clock',
  windowMs: 1000,
  quotas: { user: 3, service: 3, community: 20 },
  marginMs: 110,
  slackMs: 10,
  horizonMs: 120,
  methodsPerDay: { 'wall.get': 5000, 'wall.search': 1000, 'newsfeed.search': 1000 },
  callers: {
    execute: ALL,
    'users.get': ALL,
    'friends.get': NOT_COMMUNITY,
    'users.getFollowers': NOT_COMMUNITY,
    'users.getSubscriptions': NOT_COMMUNITY,
    'groups.get': NOT_COMMUNITY,
    'groups.getById': ALL,
    'groups.getMembers': ALL,
    'wall.get': NOT_COMMUNITY,
    'wall.getById': NOT_COMMUNITY,
    'wall.getComments': NOT_COMMUNITY,
    'likes.getList': NOT_COMMUNITY,
    'utils.resolveScreenName': ALL,
    'utils.getServerTime': ALL,
  },
};

const NETWORKS: ReadonlyMap<string, NetworkRules> = new Map([[VK.network, VK]]);

export const NETWORK_NAMES: readonly string[] = [...NETWORKS.keys()];

export function rulesOf(network: string): NetworkRules | undefined {
  return NETWORKS.get(network);
}

/** What an operator may declare of a network; anything left out stays as the network's own. */
export type Timing = Pick<NetworkRules, 'marginMs' | 'slackMs'> &
  Partial<Pick<NetworkRules, 'windowKind' | 'windowAlignment' | 'strategy' | 'egressQuota'>>;

/** The same rules with other figures: they are settings of the provider until they are learned. */
export function withTiming(rules: NetworkRules, timing: Timing): NetworkRules {
  return { ...rules, ...timing };
}

/** The rules of networks with these figures, one object per network: settles are grouped by it. */
export function rulesWith(timing: Timing): (network: string) => NetworkRules | undefined {
  const made = new Map<string, NetworkRules>();
  return (network) => {
    const declared = rulesOf(network);
    if (declared !== undefined && !made.has(network)) made.set(network, withTiming(declared, timing));
    return made.get(network);
  };
}

/** Kinds of key that may call ALL of these methods. */
export function kindsFor(rules: NetworkRules, methods: readonly string[]): KeyKind[] {
  return KEY_KINDS.filter((kind) =>
    methods.every((method) => (rules.callers[method] ?? ['user']).includes(kind)),
  );
}
