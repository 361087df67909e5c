import { Groups, USUAL_GROUPS } from './groups';

describe('Groups', () => {
  it('are invertible: whoever is in a community has it among its own, for everybody', () => {
    const groups = new Groups(3, 500, { ...USUAL_GROUPS, groups: 20, crowd: 10 });
    const pairs = Array.from({ length: 510 }, (_, index) =>
      groups.of(index).map((number) => `${index} ${number}`),
    ).flat();
    const inverse = Array.from({ length: 20 }, (_, number) =>
      Array.from(groups.members(number), (index) => `${index} ${number}`),
    ).flat();
    expect([...inverse].sort()).toEqual([...pairs].sort());
    expect(Array.from(groups.members(0)).slice(-10)).toEqual(Array.from({ length: 10 }, (_, n) => 500 + n));
    expect([groups.isMember(0, 505), groups.isMember(1, 505), groups.isMember(0, -1)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('have at most as many memberships a person as told, and large ones first', () => {
    const groups = new Groups(1, 2000, { ...USUAL_GROUPS, groups: 100, memberships: 5 });
    const sizes = Array.from({ length: 2000 }, (_, index) => groups.of(index).length);
    expect(Math.max(...sizes)).toBe(5);
    expect(Math.min(...sizes)).toBe(0);
    expect(groups.members(0).length).toBeGreaterThan(3 * groups.members(99).length);
    const none = new Groups(1, 5, { ...USUAL_GROUPS, groups: 0, crowd: 3 });
    expect([none.of(1), none.of(6), none.find(20_000_001)]).toEqual([[], [], -1]);
  });

  it('find their ids and no others', () => {
    const groups = new Groups(1, 5, { ...USUAL_GROUPS, groups: 3 });
    expect([0, 1, 2].map((number) => groups.find(groups.id(number)))).toEqual([0, 1, 2]);
    expect(
      [groups.id(0) - 1, groups.id(2) + 1, groups.id(0) + 0.5, Number.NaN].map((id) => groups.find(id)),
    ).toEqual([-1, -1, -1, -1]);
  });
});
