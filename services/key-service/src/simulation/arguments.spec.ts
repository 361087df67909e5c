import { readArguments } from './arguments';
import { PLANTS } from './plants';

describe('the words of sim:pool', () => {
  it('plays 200 seeds from the first one unless told', () => {
    expect(readArguments([])).toEqual({ from: 1, seeds: 200, trace: false, atOnce: 8, plants: [] });
  });

  it('takes seeds, a beginning, and one seed with its events', () => {
    expect(readArguments(['--seeds', '7', '--from', '3'])).toMatchObject({ from: 3, seeds: 7 });
    expect(readArguments(['--seed', '9', '--trace'])).toMatchObject({ from: 9, seeds: 1, trace: true });
  });

  it('plays as many seeds at once as it is told, up to sixteen', () => {
    expect(readArguments(['--at-once', '1']).atOnce).toBe(1);
    expect(readArguments(['--at-once', '16']).atOnce).toBe(16);
  });

  it('plants one fault or all, within 500 seeds unless told', () => {
    expect(readArguments(['--plant', 'same-fence'])).toMatchObject({ seeds: 500, plants: ['same-fence'] });
    expect(readArguments(['--plant', 'all', '--seeds', '20'])).toMatchObject({ seeds: 20 });
    expect(readArguments(['--plant', 'all']).plants).toEqual(PLANTS.map(({ name }) => name));
  });

  it.each([
    [['--seeds', '0'], '--seeds needs a whole number above 0'],
    [['--seed', 'x'], '--seed needs a whole number above 0'],
    [['--from'], '--from needs a value'],
    [['--plant', 'weeds'], 'there is no plant weeds'],
    [['--at-once', '17'], '--at-once is 16 at most'],
    [['--fast'], '--fast is not known'],
  ])('refuses %j', (words, sentence) => {
    expect(() => readArguments(words)).toThrow(sentence);
  });
});
