import { setTimeout as delay } from 'node:timers/promises';
import { encodePositions, type Positions } from '@sociograph/contracts';
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
/** Between two looks for a probe, after an answer that did not show it. */
const LOOK_MS = 20;
const GIVEN_UP_MS = 10_000;

/**
 * So many lists a second, one friend of each replaced since the last time, and twenty times a second somebody's whose
 * list gets one longer or shorter: how long from sending it until the profile that the API answers has that degree. A probe
 * asks for the position of what it sent (`min-position`), as a client does who wants to read what it wrote: asking again and
 * again instead would keep the projector busy with the asking.
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

  const look = async (
    person: number,
    degree: number,
    sent: number,
    shown: Promise<Positions>,
  ): Promise<void> => {
    const token = encodePositions(await shown);
    const path = `/v1/profiles/${scope.network}/${world.idOf(person)}?min-position=${token}`;
    let waited = 0;
    for (;;) {
      const { status, body } = await views.get(path).catch(() => ({ status: 0, body: undefined }));
      waited = performance.now() - sent;
      if (status === 200 && (body as { degree: number }).degree === degree) break;
      if (waited >= GIVEN_UP_MS) {
        unanswered += sent >= measuredFrom ? 1 : 0;
        break;
      }
      await delay(LOOK_MS);
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
    if (shown.size > 0) sending = observer.show([...shown]).catch(() => void (faults += 1));
    if (sent >= measuredFrom) lists += shown.size + probed.length;
    for (const person of probed) {
      const search = look(person, world.degreeOf(person), sent, observer.show([person]))
        .catch(() => void (faults += 1))
        .finally(() => looking.delete(search));
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
