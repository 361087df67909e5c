import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { seeded } from '@sociograph/testing';
import { NO_COUNTS } from './import-job';
import { etaMs, MARKS_LOOKED_AT, type ProgressMark, SETTLE_MS } from './progress';

type Friends = Map<number, number[]>;

const LISTS_PER_CALL = 25;
const PROFILES_PER_CALL = 1_000;
const CALL_MS = 130;
const EVENT_EVERY_MS = 250;

/** An import of the whole graph on keys that allow so many calls a second, and what its events tell. */
function played(
  friends: Friends,
  seed: number,
  callsPerSecond: number,
): { marks: ProgressMark[]; endMs: number } {
  const known = new Set([seed]);
  const lists = [seed];
  const waiting: { lists: number[]; profiles: number }[] = [];
  const underWay: { at: number; lists: number[]; profiles: number }[] = [];
  const marks: ProgressMark[] = [];
  const counters = { ...NO_COUNTS };
  let [profiles, now, slotAt] = [1, 0, 0];
  const mark = (): void => {
    const { size } = known;
    marks.push({
      seq: marks.length,
      at: now,
      state: 'running',
      revision: 1,
      counters: { ...counters, peopleKnown: size, listsKnown: size },
    });
  };
  mark();
  for (;;) {
    const ahead = () => waiting.length + underWay.length;
    while (ahead() < callsPerSecond * 2) {
      const last = ahead() === 0;
      if (profiles >= PROFILES_PER_CALL || (last && lists.length === 0 && profiles > 0)) {
        waiting.push({ lists: [], profiles: Math.min(profiles, PROFILES_PER_CALL) });
        profiles -= Math.min(profiles, PROFILES_PER_CALL);
      } else if (lists.length >= LISTS_PER_CALL || (last && lists.length > 0)) {
        waiting.push({ lists: lists.splice(0, LISTS_PER_CALL), profiles: 0 });
      } else break;
    }
    const [next, sent] = [waiting[0], underWay[0]];
    if (next === undefined && sent === undefined) break;
    if (next !== undefined && Math.max(slotAt, now) <= (sent?.at ?? Infinity)) {
      now = Math.max(slotAt, now);
      slotAt = now + 1_000 / callsPerSecond;
      waiting.shift();
      underWay.push({ ...next, at: now + CALL_MS });
      continue;
    }
    if (sent === undefined) break;
    now = sent.at;
    underWay.shift();
    counters.callsMade += 1;
    counters.peopleDone += sent.profiles;
    counters.listsDone += sent.lists.length;
    for (const person of sent.lists) {
      for (const friend of friends.get(person) ?? []) {
        if (known.has(friend)) continue;
        known.add(friend);
        lists.push(friend);
        profiles += 1;
      }
    }
    if (now - (marks.at(-1)?.at ?? 0) >= EVENT_EVERY_MS) mark();
  }
  return { marks, endMs: now + SETTLE_MS };
}

/** What was said from half of the calls on, each against what it was. */
function said({
  marks,
  endMs,
}: ReturnType<typeof played>): { at: number; left: number; eta: number | undefined }[] {
  const calls = marks.at(-1)?.counters.callsMade ?? 0;
  return marks.flatMap((mark, index) =>
    mark.counters.callsMade < calls / 2
      ? []
      : {
          at: mark.at,
          left: endMs - mark.at,
          eta: etaMs(marks.slice(Math.max(0, index + 1 - MARKS_LOOKED_AT), index + 1), {
            peopleLimit: null,
            profilesPerCall: PROFILES_PER_CALL,
          }),
        },
  );
}

function graphOf(pairs: Iterable<readonly [number, number]>): Friends {
  const friends: Friends = new Map();
  for (const [a, b] of pairs) {
    friends.set(a, [...(friends.get(a) ?? []), b]);
    friends.set(b, [...(friends.get(b) ?? []), a]);
  }
  return friends;
}

/** Everybody befriends people who have friends already, in proportion to how many. */
function hubs(people: number, each: number): Friends {
  const random = seeded(people);
  const ends = [1];
  const pairs: [number, number][] = [];
  for (let person = 2; person <= people; person += 1) {
    const chosen = new Set(Array.from({ length: each }, () => random.pick(ends)));
    for (const friend of chosen) {
      pairs.push([person, friend]);
      ends.push(person, friend);
    }
  }
  return graphOf(pairs);
}

/** Everybody knows their neighbours, one in ten of these friendships leads anywhere else. */
function neighbourhoods(people: number, each: number): Friends {
  const random = seeded(people);
  const pairs: [number, number][] = [];
  for (let person = 0; person < people; person += 1)
    for (let step = 1; step <= each; step += 1)
      pairs.push([person + 1, (random.next() < 0.1 ? random.below(people) : (person + step) % people) + 1]);
  return graphOf(pairs);
}

describe('the estimate over whole imports of a minute and more', () => {
  it.each<[string, () => Friends, number]>([
    ['hubs, two keys', () => hubs(10_000, 4), 5.8],
    ['hubs with many friends, one key', () => hubs(5_000, 20), 2.9],
    ['hubs, seven keys', () => hubs(40_000, 4), 20],
    ['neighbourhoods, two keys', () => neighbourhoods(10_000, 5), 5.8],
    ['neighbourhoods, four keys', () => neighbourhoods(20_000, 10), 11.6],
  ])('is within a fifth of the time that is left from half of the calls on: %s', (_, graph, rate) => {
    const import_ = played(graph(), 1, rate);
    expect(import_.endMs).toBeGreaterThan(60_000);
    const wrong = said(import_).filter(
      ({ left, eta }) => eta === undefined || Math.abs(eta - left) > 0.2 * left,
    );
    expect(wrong).toEqual([]);
  });

  it('is within a fifth of the whole time in a real graph, whose last people are found at the very end', () => {
    const file = join(__dirname, '../../../../infra/vk-simulator/data/ego-facebook.txt.gz');
    const lines = gunzipSync(readFileSync(file)).toString('utf8').split('\n');
    const pairs = lines.filter((line) => /^\d/.test(line)).map((line) => line.split(' ').map(Number));
    const import_ = played(graphOf(pairs as [number, number][]), 0, 2.8);
    expect(import_.endMs).toBeGreaterThan(60_000);
    const wrong = said(import_).filter(
      ({ at, eta }) => eta === undefined || Math.abs(at + eta - import_.endMs) > 0.2 * import_.endMs,
    );
    expect(wrong).toEqual([]);
  });
});
