import type { Links } from './links';
import { FLAG_BITS, LIVE, widened } from './links';
import type { TriangleCounts } from './triangle-counts';

/** A row so many times longer is searched in, not scanned. */
const MUCH_LONGER = 16;

/**
 * Finds the friends that a person shares with others, one after the other, by live links. For a single question both
 * sorted rows are gone through side by side; for several the person's friends are marked once and the others' rows are
 * scanned against the marks. Where one row is much longer, the shorter one's entries are looked up in it instead:
 * O(shorter row), not O(both), in the case that matters, hubs.
 */
export class SharedFriends {
  /** What `find` found stands in `people[0..count)`. */
  people = new Uint32Array(256);
  count = 0;
  private marks = new Uint32Array(16);
  private mark = 0;
  private marked = false;
  private person = 0;
  private questions = 0;

  constructor(
    private readonly links: Links,
    private readonly counts: TriangleCounts,
  ) {}

  reserve(count: number): void {
    if (count > this.marks.length) this.marks = widened(this.marks, count);
  }

  /** The next `questions` calls of `find` are about this person. */
  begin(person: number, questions: number): void {
    this.person = person;
    this.questions = questions;
    this.marked = false;
  }

  /** The link between the person and this friend is live from now on. */
  befriended(friend: number): void {
    if (this.marked) this.marks[friend] = this.mark;
  }

  /** It no longer is. */
  parted(friend: number): void {
    if (this.marked) this.marks[friend] = 0;
  }

  /** Fills `people`; the link between the two must not be live. */
  find(other: number): void {
    const own = this.counts.degreeOf(this.person);
    const others = this.counts.degreeOf(other);
    this.count = 0;
    if (own === 0 || others === 0) return;
    if (others > own * MUCH_LONGER) return this.lookUp(this.person, other);
    if (!this.marked && this.questions === 1) {
      if (own > others * MUCH_LONGER) this.lookUp(other, this.person);
      else this.merge(other);
      return;
    }
    if (!this.marked) this.markFriends();
    const { pool } = this.links;
    const { marks, mark } = this;
    const end = this.links.end(other);
    for (let at = this.links.begin(other); at < end; at++) {
      const entry = pool[at]!;
      if (marks[entry >>> FLAG_BITS] === mark && (entry & LIVE) !== 0) this.add(entry >>> FLAG_BITS);
    }
  }

  /** Both rows side by side: they are sorted. */
  private merge(other: number): void {
    const { pool } = this.links;
    const endOfOwn = this.links.end(this.person);
    const endOfOthers = this.links.end(other);
    let own = this.links.begin(this.person);
    let others = this.links.begin(other);
    while (own < endOfOwn && others < endOfOthers) {
      const mine = pool[own]!;
      const theirs = pool[others]!;
      const friend = mine >>> FLAG_BITS;
      const candidate = theirs >>> FLAG_BITS;
      if (friend === candidate && (mine & theirs & LIVE) !== 0) this.add(friend);
      if (friend <= candidate) own++;
      if (candidate <= friend) others++;
    }
  }

  private lookUp(shorter: number, longer: number): void {
    const { pool } = this.links;
    const end = this.links.end(shorter);
    for (let at = this.links.begin(shorter); at < end; at++) {
      const entry = pool[at]!;
      if ((entry & LIVE) === 0) continue;
      if ((this.links.flagsOf(longer, entry >>> FLAG_BITS) & LIVE) !== 0) this.add(entry >>> FLAG_BITS);
    }
  }

  private add(person: number): void {
    if (this.count === this.people.length) this.people = widened(this.people, this.count + 1);
    this.people[this.count++] = person;
  }

  private markFriends(): void {
    if (this.mark === 0xffffffff) {
      this.marks.fill(0);
      this.mark = 0;
    }
    this.mark++;
    this.marked = true;
    const { pool } = this.links;
    const end = this.links.end(this.person);
    for (let at = this.links.begin(this.person); at < end; at++) {
      if (pool[at]! & LIVE) this.marks[pool[at]! >>> FLAG_BITS] = this.mark;
    }
  }
}
