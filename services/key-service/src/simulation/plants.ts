/** A fault that the simulation must find: pieces of the script's text and what stands there instead. */
export interface Plant {
  name: string;
  what: string;
  changes: readonly (readonly [found: string, instead: string])[];
}

export const PLANTS: readonly Plant[] = [
  {
    name: 'no-spread',
    what: 'calls are taken to arrive in the moment in which they are sent',
    changes: [['  return path().s\nend', '  return 0\nend']],
  },
  {
    name: 'half-spread',
    what: 'the spread of the path is learned as a third of what was measured',
    changes: [['math.max(found + 2 * p.e, LEAST_SPREAD)', 'math.max(found / 3, 0)']],
  },
  {
    name: 'one-more',
    what: 'a window holds one call more than its quota',
    changes: [['  return k.q\nend', '  return k.q + 1\nend']],
  },
  {
    name: 'hole-kept',
    what: 'a freed slot stays free when it is granted again',
    changes: [['      hole[3] = 0\n', '      hole[3] = 1\n']],
  },
  {
    name: 'settle-twice',
    what: 'a second settle counts',
    changes: [['  if lease.done == 1 then\n    status', '  if lease.done == 2 then\n    status']],
  },
  {
    name: 'any-fence',
    what: 'a settle is taken for any fence',
    changes: [['lease.f ~= s.fence or ', '']],
  },
  {
    name: 'any-token',
    what: 'a report about an older token is applied to the present one',
    changes: [['nb and k and k.v == lease.v and r.o', 'nb and k and r.o']],
  },
  {
    name: 'epoch-ignored',
    what: 'a memory that was flushed is worked with',
    changes: [['records.epoch ~= ARGV[2]', 'false']],
  },
  {
    name: 'ready-at-once',
    what: 'a new memory grants before what an older one granted is over',
    changes: [['elseif now < readyAt then', 'elseif false then']],
  },
  {
    name: 'charged-again',
    what: 'the same request is granted and charged again',
    changes: [["  local known = load('l:' .. c.id)\n", '  local known = nil\n']],
  },
  {
    name: 'same-fence',
    what: 'the fence does not grow',
    changes: [["redis.call('INCR', P .. 'fence:' .. E)", '1']],
  },
  {
    name: 'no-rest',
    what: 'a key that rests is granted',
    changes: [
      ['if k.rest and k.rest > first + rules.horizon then', 'if false then'],
      ['math.max(look.first, k.rest or 0)', 'look.first'],
      ['math.max(first, best.k.rest or 0)', 'first'],
    ],
  },
  {
    name: 'method-asked',
    what: 'a method that rests or is barred is granted',
    changes: [['    if rest and rest.u > now then\n', '    if false then\n']],
  },
  {
    name: 'many-trials',
    what: 'a rest that is over has more than one trial at a time',
    changes: [['    rest.u = lease.x\n    rest.t', '    rest.t']],
  },
  {
    name: 'trial-for-ever',
    what: 'a trial whose worker died is waited for for ever',
    changes: [['    rest.u = lease.x\n    rest.t', '    rest.u = 9e15\n    rest.t']],
  },
  {
    name: 'paused-granted',
    what: 'a key that is not active is granted',
    changes: [
      ["  if k.s ~= 'active' then\n    return INACTIVE, 0", '  if false then\n    return INACTIVE, 0'],
      [
        "      if k.s == 'active' then\n        redis.call('ZADD', pool(name), 'NX'",
        "      if true then\n        redis.call('ZADD', pool(name), 'NX'",
      ],
    ],
  },
  {
    name: 'late-grant',
    what: 'a request is granted after its deadline',
    changes: [['  if c.deadline <= now then\n', '  if false then\n']],
  },
  {
    name: 'first-call-guessed',
    what: 'windows are taken to begin with a call that was not the first',
    changes: [["elseif rules.align == 'first-call' and c[3] ~= 1 and", 'elseif false and']],
  },
  {
    name: 'budget-not-taken',
    what: 'calls are granted from a block of a budget without being taken from it',
    changes: [['        block[3] = block[3] - taken\n', '']],
  },
  {
    name: 'all-given-back',
    what: 'a budget gets back what was sent',
    changes: [
      [
        "    if r.o == 'unsent' and lease.c[r.slot + 1] and not seen",
        '    if lease.c[r.slot + 1] and not seen',
      ],
    ],
  },
  {
    name: 'any-address',
    what: 'a key that is bound to an address is granted to another',
    changes: [['  if k.e and k.e ~= c.egress then\n', '  if false then\n']],
  },
  {
    name: 'address-not-charged',
    what: 'the limit of an address is not charged',
    changes: [['    take(best.g, nb, 1)\n', '']],
  },
  {
    name: 'most-first',
    what: 'who has had more is served first',
    changes: [
      ['      return x.sw < y.sw\n', '      return x.sw > y.sw\n'],
      [
        '        less = math.max(sw, present) < flow.sw\n',
        '        less = math.max(sw, present) > flow.sw\n',
      ],
    ],
  },
  {
    name: 'order-forgotten',
    what: 'a strategy does not move a key that was used',
    changes: [['  local order = orders[rules.strategy]\n', '  local order = nil\n']],
  },
];

/** The text with the fault in it. Throws when a piece is not there exactly once: the plant is stale. */
export function planted(lua: string, plant: Plant): string {
  let text = lua;
  for (const [found, instead] of plant.changes) {
    const times = text.split(found).length - 1;
    if (times !== 1)
      throw new Error(`The plant ${plant.name} is stale: its piece is there ${times} times: ${found.trim()}`);
    text = text.replace(found, () => instead);
  }
  return text;
}
