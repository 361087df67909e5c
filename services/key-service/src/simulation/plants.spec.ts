import { planted, PLANTS } from './plants';
import { SIMULATED_LUA } from './simulated-lua';

describe('planted faults', () => {
  it.each(PLANTS)('fits the script as it is: $name', (plant) => {
    expect(planted(SIMULATED_LUA, plant)).not.toBe(SIMULATED_LUA);
  });

  it('stands wherever its part stands, and is stale when its piece is in no part, or in more than one', () => {
    const plant = { name: 'p', what: 'w', changes: [['a = 1', 'a = 2']] as const };
    expect(planted('x a = 1 y', plant, ['a = 1'])).toBe('x a = 2 y');
    expect(planted('a = 1 b a = 1', plant, ['a = 1', 'b'])).toBe('a = 2 b a = 2');
    expect(() => planted('x', plant, ['x'])).toThrow(
      'The plant p is stale: its piece is there 0 times: a = 1',
    );
    expect(() => planted('a = 1', plant, ['a = 1', 'a = 1'])).toThrow('2 times');
  });

  it('is named once', () => {
    expect(new Set(PLANTS.map(({ name }) => name)).size).toBe(PLANTS.length);
    expect(PLANTS.length).toBeGreaterThanOrEqual(10);
  });
});
