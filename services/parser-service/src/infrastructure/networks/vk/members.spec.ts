import { Secret } from '@sociograph/kernel';
import { aCallContent } from '../../../../test/builders';
import type { ItemOutcome } from '../../../domain/items';
import type { CallContent } from '../../../domain/ports';
import { VkNetwork } from './client';

const vk = new VkNetwork();
const of = (people: string[], changes: Partial<CallContent> = {}): CallContent => ({
  ...aCallContent('members', people),
  ...changes,
});
const offsets = (content: CallContent): number[] => {
  const code = new URLSearchParams(vk.request(content, new Secret('t')).body).get('code') ?? '';
  return (/var offsets = \[([\d,]*)\]/.exec(code)?.[1] ?? '').split(',').map(Number);
};

/** A group as the pages of one call find it; it may change before each page. */
class Group {
  calls = 0;
  readonly seen: ItemOutcome[] = [];
  private cursor: string | undefined;

  constructor(
    public members: number[],
    private readonly beforePage: (page: number, group: Group) => void = () => undefined,
  ) {}

  call(): ItemOutcome {
    this.calls += 1;
    const content = of(['-5'], {
      callId: `call-${this.calls}`,
      cursors: this.cursor === undefined ? {} : { '-5': this.cursor },
    });
    const response = offsets(content).map((offset, page) => {
      this.beforePage((this.calls - 1) * 100 + page, this);
      return { count: this.members.length, items: this.members.slice(offset, offset + 1_000) };
    });
    const reading = vk.read(content, 200, JSON.stringify({ response }));
    const outcome = reading.kind === 'read' ? reading.outcomes.get('-5') : undefined;
    if (outcome === undefined) throw new Error('nothing read');
    this.seen.push(outcome);
    this.cursor = outcome.kind === 'seen' && outcome.rest.kind === 'more' ? outcome.rest.cursor : undefined;
    return outcome;
  }

  walk(): { ids: number[]; closed: unknown; last: ItemOutcome | undefined } {
    do this.call();
    while (this.cursor !== undefined && this.calls < 100);
    const observations = this.seen.flatMap((outcome) =>
      outcome.kind === 'seen' ? outcome.observations : [],
    );
    const closed = observations.find(({ kind }) => kind === 'members-closed');
    const pages = observations.flatMap((one) =>
      one.kind === 'member-page' && closed?.kind === 'members-closed' && one.listId === closed.listId
        ? [one]
        : [],
    );
    expect(pages.map(({ part }) => part)).toEqual(pages.map((_, part) => part));
    return { ids: pages.flatMap(({ memberIds }) => memberIds.map(Number)), closed, last: this.seen.at(-1) };
  }
}

const people = (count: number): number[] => Array.from({ length: count }, (_, index) => (index + 1) * 10);

describe('members of a group from VK', () => {
  it('come 25,000 a call for one group, and are shared out among several', () => {
    const code = new URLSearchParams(vk.request(of(['-5']), new Secret('t')).body).get('code');
    expect(code).toContain(
      'API.groups.getMembers({"group_id": ids[i], "count": 1000, "offset": offsets[i]})',
    );
    expect(offsets(of(['-5']))).toEqual(Array.from({ length: 25 }, (_, page) => page * 1_000));
    expect(vk.methods(of(['-5']))).toEqual({ 'groups.getMembers': 25 });
    expect(vk.methods(of(['-5', '-6']))).toEqual({ 'groups.getMembers': 24 });
    expect(vk.methods(of(Array.from({ length: 25 }, (_, index) => `-${index + 1}`)))).toEqual({
      'groups.getMembers': 25,
    });
  });

  it('are asked for in fewer pages after a call that failed', () => {
    expect([0, 1, 2, 3, 4, 7].map((tries) => vk.methods(of(['-5'], { tries }))['groups.getMembers'])).toEqual(
      [25, 12, 6, 3, 1, 1],
    );
  });

  it('of 60,000 take three calls, each published and met, and are closed as complete', () => {
    const group = new Group(people(60_000));
    const first = group.call();
    expect(first.kind === 'seen' && first.met.slice(0, 1)).toEqual([{ person: '10', steps: 1 }]);
    const { ids, closed, last } = group.walk();
    expect([group.calls, ids.length, new Set(ids).size]).toEqual([3, 60_000, 60_000]);
    expect(closed).toEqual({
      kind: 'members-closed',
      groupId: '5',
      listId: 'call-1',
      parts: 3,
      count: 60_000,
      complete: true,
    });
    expect(last).toMatchObject({ rest: { kind: 'none' } });
  });

  it.each([0, 1, 1_000, 1_001, 25_000])('of %s are complete after one call', (count) => {
    const group = new Group(people(count));
    const { ids, closed } = group.walk();
    expect([group.calls, ids.length]).toEqual([1, count]);
    expect(closed).toMatchObject({ count, complete: true, parts: count === 0 ? 0 : 1 });
  });

  it('asks for no more pages than are left', () => {
    const group = new Group(people(26_500));
    const first = group.call();
    const cursor = first.kind === 'seen' && first.rest.kind === 'more' ? first.rest.cursor : '';
    expect(offsets(of(['-5'], { cursors: { '-5': cursor } }))).toEqual([25_000, 26_000]);
  });

  it('that left pull nobody out of the walk: it goes back by as many places', () => {
    const group = new Group(people(30_000), (page, of_) => {
      if (page === 3 || page === 100)
        of_.members = of_.members.filter((id) => id !== 50 && (page === 3 || id !== 90));
    });
    const stayed = people(30_000).filter((id) => id !== 50 && id !== 90);
    const { ids, closed } = group.walk();
    expect(stayed.filter((id) => !ids.includes(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(closed).toMatchObject({ complete: true });
  });

  it('that joined among those read make the walk begin anew, and are found then', () => {
    const group = new Group(people(3_000), (page, of_) => {
      if (page === 2) of_.members = [15, ...of_.members].sort((a, b) => a - b);
    });
    const { ids, closed } = group.walk();
    expect([group.calls, ids.length, ids.includes(15)]).toEqual([2, 3_001, true]);
    // Nothing of the first walk was published: its name may be used again.
    expect(closed).toMatchObject({ listId: 'call-1', parts: 1, complete: true });
  });

  it('that joined after a part was published begin a list of another name', () => {
    const group = new Group(people(30_000), (page, of_) => {
      if (page === 100) of_.members = [15, ...of_.members].sort((a, b) => a - b);
    });
    const { ids, closed } = group.walk();
    expect([group.calls, ids.length, ids.includes(15)]).toEqual([4, 30_001, true]);
    expect(closed).toMatchObject({ listId: 'call-2', parts: 2, complete: true });
  });

  it('are read anew, as a list of its own, where the cursor is one of another version', () => {
    const content = of(['-5'], { callId: 'call-9', cursors: { '-5': '{"page": 3}' } });
    expect(offsets(content)[0]).toBe(0);
    const response = [{ count: 1, items: [10] }];
    expect(vk.read(content, 200, JSON.stringify({ response }))).toMatchObject({
      outcomes: new Map([
        ['-5', { observations: [{ listId: 'call-9', part: 0 }, { kind: 'members-closed' }] }],
      ]),
    });
  });

  it('that join at the end are simply read', () => {
    const group = new Group(people(3_000), (page, of_) => {
      if (page === 2) of_.members = [...of_.members, 999_999];
    });
    const { ids, closed } = group.walk();
    expect([group.calls, ids.length]).toEqual([1, 3_001]);
    expect(closed).toMatchObject({ complete: true });
  });

  it('that never stand still are closed as incomplete after three walks', () => {
    let joined = 0;
    const group = new Group(people(3_000), (page, of_) => {
      if (page % 100 > 0) of_.members = [...of_.members, (joined += 1)].sort((a, b) => a - b);
    });
    const { closed, last } = group.walk();
    expect(group.calls).toBe(3);
    expect(closed).toMatchObject({ complete: false });
    expect(last).toMatchObject({ rest: { kind: 'partial', detail: 'it changed while it was read' } });
  });

  it.each([
    [15, 'Access denied: group hide members', 'hidden'],
    [203, 'Access to group denied: access to the group members is denied', 'private'],
    [125, 'Invalid group id', 'unknown'],
  ])('with the inner error %s are absent', (error_code, error_msg, cause) => {
    const execute_errors = Array(25).fill({ method: 'groups.getMembers', error_code, error_msg });
    const reading = vk.read(
      of(['-5']),
      200,
      JSON.stringify({ response: Array(25).fill(false), execute_errors }),
    );
    expect(reading).toMatchObject({ outcomes: new Map([['-5', { kind: 'absent', cause }]]) });
  });
});
