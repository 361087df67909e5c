import type { Clock } from '@sociograph/kernel';
import {
  afterCheck,
  afterSweep,
  anonymous,
  completed,
  exportsPurged,
  isCheckDue,
  isSweepDue,
  onlyFilesLeft,
  suppressed,
  type Erasure,
  type Findings,
  type Retention,
  type Swept,
} from '../domain/erasure';
import type { ErasureLog, Erasures, ExportPurge } from '../domain/erasure-ports';
import type { PersonRef } from '../domain/observation';
import type { Person } from '../domain/person';
import type { GraphStore, Versioned } from '../domain/ports';
import { personKey } from './side-changes';
import { withoutPerson } from './without-person';

export interface ErasureTimes {
  /** Between two sweeps, and from the mark to the sweep that counts. */
  settleMs: number;
  /** Between two looks into the logs: one reads the whole change log. */
  checkMs: number;
  retention: Retention;
}

/** Erasures that one round works on. */
const AT_ONCE = 50;
/** A list that others keep changing is left to the next sweep after so many tries. */
const TRIES = 10;

/**
 * Brings every open erasure as far as it can come now. Each step is saved before the next begins and may be repeated:
 * a process that dies in between, or two that work on the same one, do no harm.
 */
export class ErasePerson {
  constructor(
    private readonly erasures: Erasures,
    private readonly log: ErasureLog,
    private readonly store: Pick<GraphStore, 'writePeople'>,
    private readonly exports: ExportPurge,
    private readonly clock: Clock,
    private readonly times: ErasureTimes,
  ) {}

  /** Sweeps what is due. How many erasures are open, whether or not something could be done about them. */
  async round(): Promise<number> {
    const open = await this.erasures.unfinished(AT_ONCE);
    for (const erasure of open) await this.#sweep(erasure);
    return open.length;
  }

  async #sweep({ rev, ...stored }: Versioned<Erasure>): Promise<void> {
    let erasure: Erasure = stored;
    let current: string | undefined = rev;
    const { personId } = erasure;
    if (personId === undefined) return;
    const save = async (next: Erasure): Promise<boolean> => {
      erasure = next;
      if (current !== undefined) current = await this.erasures.save(next, current);
      return current !== undefined;
    };
    if (erasure.suppressedAt === undefined) {
      await this.log.suppress(erasure);
      if (!(await save(suppressed(erasure, this.clock.nowMs())))) return;
    }
    const began = this.clock.nowMs();
    const { settleMs, retention } = this.times;
    if (!isSweepDue(erasure, began, settleMs)) return;
    const person = { workspaceId: erasure.workspaceId, network: erasure.network, id: personId };
    // Written by a sweep that did not live to publish it.
    await this.#publish(erasure.republish);
    const lists = await this.#leaveLists(person, (republish) => save({ ...erasure, republish }));
    if (lists === undefined) return;
    const swept: Swept = { 'lists-of-others': lists, ...(await this.#remove(person)) };
    const ends = await this.log.ends();
    const after = afterSweep(erasure, swept, { began, now: this.clock.nowMs(), settleMs }, ends, retention);
    if (after.state !== 'waiting') return void (await save(after));
    // Everything made before this sweep's end may hold the person; what is made from now on cannot.
    await this.exports.ofGraph(person.workspaceId, person.network);
    await save(exportsPurged(after, this.clock.nowMs()));
  }

  /** Publishes whoever's list held the person again, without them. How many; undefined when another process works on it. */
  async #leaveLists(
    person: PersonRef,
    announce: (keys: string[]) => Promise<boolean>,
  ): Promise<number | undefined> {
    let left = 0;
    let after: string | undefined;
    do {
      const page = await this.erasures.holders(person, after);
      const keys = page.people.map(({ ref }) => personKey(ref));
      if (keys.length > 0) {
        if (!(await announce(keys))) return undefined;
        await this.#rewrite(person, page.people);
        await this.#publish(keys);
        left += keys.length;
      }
      after = page.next;
    } while (after !== undefined);
    return left;
  }

  async #rewrite(person: PersonRef, holders: readonly Versioned<Person>[]): Promise<void> {
    let pending = holders;
    for (let attempt = 1; pending.length > 0 && attempt <= TRIES; attempt++) {
      const now = this.clock.nowMs();
      const writes = pending.map(({ rev, ...holder }) => ({
        person: withoutPerson(holder, person.id, now),
        rev,
      }));
      const { conflicts } = await this.store.writePeople(writes);
      pending = conflicts.length === 0 ? [] : [...(await this.erasures.people(conflicts)).values()];
    }
  }

  /** As stored now. Who was changed meanwhile is published again: the newest state must be the last in the log. */
  async #publish(keys: readonly string[]): Promise<void> {
    const published = new Map<string, number>();
    for (let pending = keys; pending.length > 0;) {
      const stored = await this.erasures.people(pending);
      const newer = [...stored].filter(([key, { version }]) => published.get(key) !== version);
      await this.log.publish(newer.map(([, { rev: _, ...state }]) => state));
      for (const [key, { version }] of newer) published.set(key, version);
      pending = newer.map(([key]) => key);
    }
  }

  /** Edges lead to nobody before the vertex goes; the keys are ended last, and each time: the log may have missed it. */
  async #remove(person: PersonRef): Promise<Omit<Swept, 'lists-of-others'>> {
    const edges = await this.erasures.removeEdges(person);
    const history = await this.erasures.removeHistory(person);
    const posts = await this.erasures.removePosts(person);
    const vertex = await this.erasures.removeVertex(person);
    await this.log.bury(person, posts);
    return { edges, history, posts: posts.length, vertex };
  }

  /**
   * Looks after those that wait; it takes as long as reading the logs, so sweeps go on beside it. One look serves all
   * erasures that wait for the logs, one rewriting of the files all that wait for that.
   */
  async check(): Promise<void> {
    const now = this.clock.nowMs();
    const open = await this.erasures.unfinished(AT_ONCE);
    const due = open.filter(
      (erasure) => !onlyFilesLeft(erasure) && isCheckDue(erasure, now, this.times.checkMs),
    );
    const found = due.length === 0 ? new Map<string, Findings>() : await this.log.look(due);
    for (const { rev, ...erasure } of due) {
      const findings = found.get(erasure.id);
      if (findings === undefined) continue;
      const checked = afterCheck(erasure, findings, now);
      await this.erasures.save(onlyFilesLeft(checked) ? anonymous(checked) : checked, rev);
    }
    const lingering = due.filter(({ id }) => found.get(id)?.['change-log'] === false);
    if (lingering.length > 0) await this.log.nudge(lingering);
    await this.#finish();
  }

  async #finish(): Promise<void> {
    const last = (await this.erasures.unfinished(AT_ONCE)).filter(onlyFilesLeft);
    if (last.length === 0) return;
    await this.erasures.compact();
    for (const { rev, ...erasure } of last)
      await this.erasures.save(completed(erasure, this.clock.nowMs()), rev);
  }
}
