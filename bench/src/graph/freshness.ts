import { setTimeout as delay } from 'node:timers/promises';
import { timesOf, type Times } from '../lease-rpc/figures';
import type { Observer, Scope } from './observer';
import type { ViewsReader } from './views-reader';
import type { World } from './world';

export interface FreshnessLoad {
  listsPerSecond: number;
  /** Lists of hubs a second beside them. */
  hubsPerSecond: number;
  warmUpSeconds: number;
  seconds: number;
}

export interface Freshness {
  times: Times;
  listsPerSecond: number;
  /** Probes that were not shown within their time; they count as that. */
  unanswered: number;
  /** Probes left out because everybody to be probed was waited for. */
  skipped: number;
}

const TICK_MS = 20;
const PROBES_PER_SECOND = 20;
/**
 * Between two looks for a probe; a tenth of what it has waited once that is more: hundreds of probes that are all late, each
 * looked for fifty times a second, would keep the projector busy and late.
 */
const LOOK_MS = 20;
const LOOK_PART = 0.1;
const GIVEN_UP_MS = 10_000;

/**
 * So many lists a second, one friend of each replaced since the last time, and twenty times a second somebody's whose
 * list gets one longer or shorter: how long from sending it until the profile that the API answers has that degree.
 */
export async function measureFreshness(
  { world, observer, views, scope }: { world: World; observer: Observer; views: ViewsReader; scope: Scope },
  load: FreshnessLoad,
): Promise<Freshness> {
  const waits: number[] = [];
  const looking = new Set<Promise<void>>();
  const free = [...world.hermits];
  let [unanswered, skipped, lists, next, probes, hubs, ordinarySent] = [0, 0, 0, 0, 0, 0, 0];
  const begun = performance.now();
  const measuredFrom = begun + load.warmUpSeconds * 1000;
  const end = measuredFrom + load.seconds * 1000;
  const due = (perSecond: number, now: number): number => Math.floor(((now - begun) / 1000) * perSecond);
  const ordinary = load.listsPerSecond - PROBES_PER_SECOND - load.hubsPerSecond;

  const look = async (person: number, degree: number, sent: number): Promise<void> => {
    const path = `/v1/profiles/${scope.network}/${world.idOf(person)}`;
    let waited = 0;
    for (;;) {
      const asked = performance.now();
      const { status, body } = await views.get(path).catch(() => ({ status: 0, body: undefined }));
      waited = performance.now() - sent;
      if (status === 200 && (body as { degree: number }).degree === degree) break;
      if (waited >= GIVEN_UP_MS) {
        unanswered += sent >= measuredFrom ? 1 : 0;
        break;
      }
      const pauseMs = Math.max(LOOK_MS, waited * LOOK_PART) - (performance.now() - asked);
      await delay(Math.max(0, pauseMs));
    }
    if (sent >= measuredFrom) waits.push(waited);
    free.push(person);
  };

  let sending: Promise<unknown> = Promise.resolve();
  let faults = 0;
  for (let now = begun; now < end; now = performance.now()) {
    const shown = new Set<number>();
    // Both lists of a friendship change, and both are shown.
    for (const wanted = due(ordinary, now) - ordinarySent; shown.size < wanted; next += 1) {
      const person = (next * 7919) % world.size.people;
      shown.add(person).add(world.changeOne(person));
    }
    ordinarySent += shown.size;
    for (; hubs < due(load.hubsPerSecond, now); hubs += 1) {
      const hub = world.hubs[hubs % world.hubs.length] as number;
      world.toggleOne(hub, world.size.hubFriends);
      shown.add(hub);
    }
    const probed: number[] = [];
    for (; probes < due(PROBES_PER_SECOND, now); probes += 1) {
      const person = free.shift();
      if (person === undefined) skipped += 1;
      else probed.push(person);
    }
    for (const person of probed) world.toggleOne(person, world.size.friends);
    const sent = performance.now();
    const all = [...shown, ...probed];
    if (all.length > 0) sending = observer.show(all).catch(() => void (faults += 1));
    if (sent >= measuredFrom) lists += all.length;
    for (const person of probed) {
      const search = look(person, world.degreeOf(person), sent).finally(() => looking.delete(search));
      looking.add(search);
    }
    await delay(Math.max(0, TICK_MS - (performance.now() - now)));
  }
  const listsPerSecond = lists / load.seconds;
  await sending;
  await Promise.all(looking);
  if (faults > 0) throw new Error(`${faults} times the log did not take what was sent`);
  return { times: timesOf(waits), listsPerSecond, unanswered, skipped };
}
