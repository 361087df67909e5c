import { planted, PLANTS } from './plants';
import { SIMULATED_LUA } from './simulated-lua';

describe('planted faults', () => {
  it.each(PLANTS)('fits the script as it is: $name', (plant) => {
    expect(planted(SIMULATED_LUA, plant)).not.toBe(SIMULATED_LUA);
  });

  it('is stale when its piece is not there, or more than once', () => {
    const plant = { name: 'p', what: 'w', changes: [['a = 1', 'a = $& 2']] as const };
    expect(planted('x a = 1 y', plant)).toBe('x a = $& 2 y');
    expect(() => planted('x', plant)).toThrow('The plant p is stale: its piece is there 0 times: a = 1');
    expect(() => planted('a = 1, a = 1', plant)).toThrow('2 times');
  });

  it('is named once', () => {
    expect(new Set(PLANTS.map(({ name }) => name)).size).toBe(PLANTS.length);
    expect(PLANTS.length).toBeGreaterThanOrEqual(10);
  });
});
