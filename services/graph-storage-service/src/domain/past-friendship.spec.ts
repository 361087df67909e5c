import type { Friendship, SideAssertion, SideChange } from './friendship';
import { byLastingLonger, pastKey, pastOf, wasThere } from './past-friendship';

const look = (observedAt: number, fence = 1): SideAssertion => ({
  observedAt,
  fence,
  callId: `c${observedAt}`,
});
const stored: Friendship = {
  key: 'demo.vk.1.2',
  lowId: '1',
  highId: '2',
  low: look(5),
  since: 5,
  deniedAt: { observedAt: 6, fence: 1 },
};
const withdrawal = (ended: SideAssertion | undefined): SideChange => ({
  key: 'demo.vk.1.2',
  lowId: '1',
  highId: '2',
  side: 'low',
  assertion: undefined,
  ended,
});

describe('a past friendship', () => {
  it('lasted until the look that no longer has it, and keeps what was known', () => {
    expect(pastOf(stored, [withdrawal(look(9))])).toEqual({
      key: 'demo.vk.1.2',
      lowId: '1',
      highId: '2',
      low: look(5),
      since: 5,
      until: 9,
      endedBy: look(9),
    });
  });

  it('counts the newest of several looks', () => {
    const changes = [
      withdrawal(look(8)),
      withdrawal(look(9, 2)),
      withdrawal(look(9, 1)),
      withdrawal(undefined),
    ];
    expect(pastOf(stored, changes)).toMatchObject({ until: 9, endedBy: look(9, 2) });
  });

  it('never ends before it began', () => {
    expect(pastOf({ ...stored, since: 20 }, [withdrawal(look(9))]).until).toBe(20);
    expect(pastOf(stored, [])).toMatchObject({ until: 5, endedBy: undefined });
  });

  it('has one record for each time it began', () => {
    expect(pastKey({ key: 'demo.vk.1.2', since: 5 })).toBe('demo.vk.1.2.5');
  });

  it.each([
    [{ since: 5, until: 9 }, 4, false],
    [{ since: 5, until: 9 }, 5, true],
    [{ since: 5, until: 9 }, 8, true],
    [{ since: 5, until: 9 }, 9, false],
    [{ since: 5 }, 99, true],
    [{ since: 5 }, 4, false],
    [{ since: 5, until: 5 }, 5, false],
  ])('%j was there at %i: %s', (stretch, at, there) => {
    expect(wasThere(stretch, at)).toBe(there);
  });

  it.each([
    [{ since: 5 }, { since: 10, until: 20 }],
    [
      { since: 5, until: 40 },
      { since: 10, until: 20 },
    ],
    [
      { since: 5, until: 20 },
      { since: 10, until: 20 },
    ],
  ])('%j is told before %j', (longer, shorter) => {
    expect([shorter, longer].sort(byLastingLonger)).toEqual([longer, shorter]);
    expect([longer, shorter].sort(byLastingLonger)).toEqual([longer, shorter]);
  });
});
