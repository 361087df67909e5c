import { PLANTS } from './plants';
import { MOST_ROOMS } from './redis-pair';

export interface SimulationArguments {
  from: number;
  seeds: number;
  trace: boolean;
  /** Seeds that are played at the same time, on one core. */
  atOnce: number;
  /** Names of planted faults; none: the script as it is. */
  plants: string[];
}

const AT_ONCE = 8;

export const USAGE = `npm run sim:pool -- [--seeds N (200)] [--from S (1)] [--seed X [--trace]] [--plant NAME|all] [--at-once K (${AT_ONCE})]
  --seeds N   runs of five keys, three workers, 200 grants and five faults or more each
  --seed X    one run; --trace prints each of its events
  --plant P   plants a fault in the script and says after how many seeds it is found (at most 500 unless told):
              ${PLANTS.map(({ name }) => name).join(', ')}
  --at-once K seeds under way together (1 to ${MOST_ROOMS}); it changes nothing in any of them`;

/** Throws a sentence when the words make no sense. */
export function readArguments(words: readonly string[]): SimulationArguments {
  let from = 1;
  let seeds: number | undefined;
  let trace = false;
  let atOnce = AT_ONCE;
  let plants: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    const value = (): string => {
      index += 1;
      const found = words[index];
      if (found === undefined) throw new Error(`${word} needs a value`);
      return found;
    };
    if (word === '--trace') trace = true;
    else if (word === '--from') from = whole(word, value());
    else if (word === '--seeds') seeds = whole(word, value());
    else if (word === '--seed') [from, seeds] = [whole(word, value()), 1];
    else if (word === '--at-once') atOnce = whole(word, value(), MOST_ROOMS);
    else if (word === '--plant') plants = plantsNamed(value());
    else throw new Error(`${word} is not known`);
  }
  return { from, seeds: seeds ?? (plants.length > 0 ? 500 : 200), trace, atOnce, plants };
}

function whole(word: string, text: string, most = Infinity): number {
  const number = Number(text);
  if (number > most) throw new Error(`${word} is ${most} at most`);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${word} needs a whole number above 0`);
  return number;
}

function plantsNamed(name: string): string[] {
  const names = PLANTS.map((plant) => plant.name);
  if (name === 'all') return names;
  if (!names.includes(name)) throw new Error(`there is no plant ${name}: ${names.join(', ')}`);
  return [name];
}
