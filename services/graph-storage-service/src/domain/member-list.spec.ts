import { anEnd, aPage, ref, stamp } from '../../test/builders';
import {
  isSettled,
  membersOf,
  noMembers,
  observeMembers,
  type MemberList,
  type SeenMembers,
} from './member-list';

const group = ref('5');

function after(...steps: Partial<SeenMembers>[]): MemberList {
  return steps.reduce<MemberList>(
    (list, step) => observeMembers(list, { pages: [], ends: [], gone: [], ...step }),
    noMembers(group),
  );
}

function ids(list: MemberList): string {
  return [...membersOf(list).keys()].sort().join('');
}

const first = { pages: [aPage('a', 0, 1, ['1', '2']), aPage('a', 1, 2, ['3'])], ends: [anEnd('a', 2, 3)] };

describe('a list of members', () => {
  it('is all that its pages have, until a whole walk lacks somebody', () => {
    expect(ids(after(first))).toBe('123');
    expect(ids(after(first, { pages: [aPage('b', 0, 5, ['4'])] }))).toBe('1234');
    expect(ids(after(first, { pages: [aPage('b', 0, 5, ['4'])], ends: [anEnd('b', 2, 9)] }))).toBe('1234');
    const whole = after(first, { pages: [aPage('b', 0, 5, ['4'])], ends: [anEnd('b', 1, 9)] });
    expect([ids(whole), whole.floor, whole.pages.length, whole.ends.length]).toEqual(['4', stamp(5), 1, 1]);
  });

  it('needs the end of the walk and every part, in whatever order they come', () => {
    const end = { ends: [anEnd('b', 2, 9)] };
    const pages = [{ pages: [aPage('b', 1, 8, ['7'])] }, { pages: [aPage('b', 0, 6, ['6'])] }];
    expect(ids(after(first, end))).toBe('123');
    expect(ids(after(first, end, pages[0] as object))).toBe('1237');
    expect(ids(after(first, end, ...pages))).toBe('67');
    expect(after(end, ...pages, first)).toEqual(after(first, ...pages, end));
  });

  it('counts from the earliest page: who came while the walk lasted stays', () => {
    const walk = { pages: [aPage('b', 0, 10, ['1']), aPage('b', 1, 20, ['2'])], ends: [anEnd('b', 2, 21)] };
    expect(ids(after({ pages: [aPage('c', 0, 9, ['8'])] }, walk))).toBe('12');
    expect(ids(after({ pages: [aPage('c', 0, 10, ['8'])] }, walk))).toBe('128');
    expect(ids(after(walk, { pages: [aPage('c', 0, 9, ['8'])] }))).toBe('12');
    expect(ids(after(walk, { pages: [aPage('c', 0, 15, ['8'])] }))).toBe('128');
  });

  it('counts a part that was read again by its newest reading', () => {
    const twice = { pages: [aPage('b', 0, 4, ['1']), aPage('b', 0, 6, ['2'])], ends: [anEnd('b', 1, 7)] };
    expect([ids(after(twice)), after(twice).floor]).toEqual(['2', stamp(6)]);
    const [older, newer] = twice.pages;
    const late = after({ pages: [newer as never] }, { ends: twice.ends }, { pages: [older as never] });
    expect(late).toEqual(after(twice));
  });

  it('ignores parts beyond the number that the end names', () => {
    const odd = { pages: [aPage('b', 3, 4, ['9'])], ends: [anEnd('b', 1, 7)] };
    expect(ids(after(first, odd))).toBe('1239');
    expect(isSettled(after(first, odd))).toBe(false);
  });

  it('is empty after a walk that found nobody, and after the deletion of the group', () => {
    expect([
      ids(after(first, { ends: [anEnd('b', 0, 9)] })),
      after({ ends: [anEnd('b', 0, 9)] }).floor,
    ]).toEqual(['', stamp(9)]);
    expect(ids(after(first, { gone: [stamp(9)] }))).toBe('');
    expect(ids(after(first, { gone: [stamp(1)] }))).toBe('123');
    expect(ids(after({ gone: [stamp(9)] }, { pages: [aPage('b', 0, 8, ['4'])] }))).toBe('');
  });

  it('is the very same when nothing of it changed', () => {
    const list = after(first);
    expect(observeMembers(list, { ...first, gone: [] })).toBe(list);
    expect(observeMembers(list, { pages: [aPage('z', 0, 0, ['9'])], ends: [], gone: [stamp(0)] })).toBe(list);
    expect(observeMembers(list, { pages: [], ends: [anEnd('a', 2, 2)], gone: [] })).toBe(list);
    expect(observeMembers(list, { pages: [], ends: [anEnd('a', 3, 9)], gone: [] })).not.toBe(list);
  });

  it('is settled when nothing is awaited', () => {
    expect(isSettled(noMembers(group))).toBe(true);
    expect(isSettled(after(first))).toBe(true);
    expect(isSettled(after({ pages: first.pages }))).toBe(false);
    expect(isSettled(after(first, { ends: [anEnd('b', 1, 9)] }))).toBe(false);
  });

  it('keeps a member on the newest page alone, in whatever order pages come, so that endless walks do not grow', () => {
    const walks = ['a', 'b', 'c'].map((id, n) => ({
      pages: [aPage(id, 0, n + 1, ['1', '2']), aPage(id, 1, n + 1, ['2', String(n + 5)])],
    }));
    const [a, b, c] = walks as [object, object, object];
    for (const list of [after(a, b, c), after(c, b, a), after(b, c, a, b)]) {
      const idsOf = Object.fromEntries(list.pages.map((page) => [`${page.listId}${page.part}`, page.ids]));
      expect(idsOf).toEqual({ a0: [], a1: ['5'], b0: [], b1: ['6'], c0: ['1', '2'], c1: ['7'] });
      expect(ids(list)).toBe('12567');
    }
    const whole = after(a, b, c, { ends: [anEnd('b', 2, 9)] });
    expect([ids(whole), whole.floor]).toEqual(['1267', stamp(2)]);
  });

  it('names the newest page that has a member', () => {
    const members = membersOf(after({ pages: [aPage('b', 0, 9, ['1']), aPage('a', 0, 4, ['1', '2'])] }));
    expect([members.get('1')?.stamp, members.get('1')?.source.callId]).toEqual([stamp(9), 'call-9']);
    expect(members.get('2')?.stamp).toEqual(stamp(4));
  });
});
