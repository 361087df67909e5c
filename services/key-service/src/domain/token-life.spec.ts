import { Randomness } from '@sociograph/kernel';
import { refreshMoment } from './token-life';

class Chance extends Randomness {
  constructor(private readonly value: number) {
    super();
  }

  next(): number {
    return this.value;
  }
}

const NOW = 1_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('the moment of a refresh', () => {
  it.each([
    ['a tenth of a day before its end', 24 * HOUR, 0, 24 * HOUR - 2.4 * HOUR],
    ['a tenth of an hour before its end', HOUR, 0, 54 * MINUTE],
    ['by chance up to twice as early', HOUR, 0.5, 51 * MINUTE],
    ['a minute before the end of ten', 10 * MINUTE, 0, 9 * MINUTE],
    ['a minute before the end of five', 5 * MINUTE, 0, 4 * MINUTE],
    ['by chance two minutes before the end of five', 5 * MINUTE, 1, 3 * MINUTE],
    ['not before half of a short life is over', 90_000, 0, 45_000],
    ['at once when it is over', 0, 0.9, 0],
    ['at once when it was over long ago', -HOUR, 0.9, 0],
  ])('lies %s', (_, life, chance, after) => {
    expect(refreshMoment(NOW, NOW + life, new Chance(chance))).toBe(NOW + after);
  });
});
