import type { Chosen } from './chosen';
import { isChosen, NOBODY } from './chosen';
import { pick, TOPICS } from './names';
import { seededFraction, seededHash } from './seeded-hash';

export interface GroupOptions {
  /** How many communities there are. */
  groups: number;
  /** Most communities of one person. */
  memberships: number;
  /** Members of the first community who are not in the graph: accounts without friends. */
  crowd: number;
  closedGroups: Chosen;
  privateGroups: Chosen;
  bannedGroups: Chosen;
  hiddenMembers: Chosen;
}

export const USUAL_GROUPS: GroupOptions = {
  groups: 200,
  memberships: 12,
  crowd: 0,
  closedGroups: NOBODY,
  privateGroups: NOBODY,
  bannedGroups: NOBODY,
  hiddenMembers: NOBODY,
};

export type GroupType = 'group' | 'page' | 'event';

const FIRST_ID = 20_000_001;

/**
 * The communities and who is in them. A person's communities are computed when asked for; who is in a community is
 * the inverse of that for everybody at once, made at the first question (70 ms for 4,000 people) and kept.
 */
export class Groups {
  private inverse: { offsets: Uint32Array; members: Uint32Array } | undefined;

  constructor(
    private readonly seed: number,
    /** People of the graph; the crowd's indexes follow theirs. */
    private readonly people: number,
    private readonly options: GroupOptions,
  ) {}

  get count(): number {
    return this.options.groups;
  }

  get crowd(): number {
    return this.options.crowd;
  }

  /** The number of a community (0..groups-1), or -1. */
  find(id: number): number {
    const number = id - FIRST_ID;
    return Number.isInteger(number) && number >= 0 && number < this.options.groups ? number : -1;
  }

  id(number: number): number {
    return FIRST_ID + number;
  }

  /** Numbers of a person's communities, ascending. Low numbers are drawn more often: they are the large ones. */
  of(index: number): number[] {
    const { groups, memberships } = this.options;
    if (groups === 0) return [];
    if (index >= this.people) return [0];
    const found = new Set<number>();
    const draws = seededHash(this.seed, 'memberships', index) % (memberships + 1);
    for (let draw = 0; draw < draws; draw += 1) {
      const point = seededFraction(this.seed, 'membership', index * 64 + draw);
      found.add(Math.floor(groups * point * point));
    }
    return [...found].sort((a, b) => a - b);
  }

  /** Indexes of the members, ascending: a view, not a copy. */
  members(number: number): Uint32Array {
    const { offsets, members } = (this.inverse ??= this.invert());
    return members.subarray(offsets[number], offsets[number + 1]);
  }

  isMember(number: number, index: number): boolean {
    return index !== -1 && this.of(index).includes(number);
  }

  type(number: number): GroupType {
    const point = seededHash(this.seed, 'group type', number) % 20;
    return point < 10 ? 'page' : point < 19 ? 'group' : 'event';
  }

  /** 0 open, 1 closed, 2 private. A public page is always open. */
  access(number: number): 0 | 1 | 2 {
    const id = this.id(number);
    if (isChosen(this.options.privateGroups, this.seed, 'private group', id)) return 2;
    return isChosen(this.options.closedGroups, this.seed, 'closed group', id) ? 1 : 0;
  }

  isBanned(number: number): boolean {
    return isChosen(this.options.bannedGroups, this.seed, 'banned group', this.id(number));
  }

  hidesMembers(number: number): boolean {
    return isChosen(this.options.hiddenMembers, this.seed, 'hidden members', this.id(number));
  }

  topic(number: number): readonly [shown: string, latin: string] {
    return pick(TOPICS, seededHash(this.seed, 'topic', number));
  }

  /** Half of them have a name of their own; it ends in the id, so that it can be found again. */
  screenName(number: number): string {
    const id = this.id(number);
    if (seededHash(this.seed, 'group name', number) % 2 === 0) return `${this.topic(number)[1]}_${id}`;
    return `${{ group: 'club', page: 'public', event: 'event' }[this.type(number)]}${id}`;
  }

  private invert(): { offsets: Uint32Array; members: Uint32Array } {
    const all = this.people + (this.options.groups > 0 ? this.options.crowd : 0);
    const offsets = new Uint32Array(this.options.groups + 1);
    for (let index = 0; index < all; index += 1) {
      for (const number of this.of(index)) offsets[number + 1] = (offsets[number + 1] as number) + 1;
    }
    for (let number = 0; number < this.options.groups; number += 1) {
      offsets[number + 1] = (offsets[number + 1] as number) + (offsets[number] as number);
    }
    const filled = offsets.slice();
    const members = new Uint32Array(offsets[this.options.groups] as number);
    for (let index = 0; index < all; index += 1) {
      for (const number of this.of(index)) {
        const at = filled[number] as number;
        members[at] = index;
        filled[number] = at + 1;
      }
    }
    return { offsets, members };
  }
}
