import { ArangoFault } from '../faults';
import type { Access } from './access';
import type { Budget } from './budget';
import type { Evaluate, Frame } from './scope';
import { compareValues, isTrue } from './values';

/** One statement at work: rows in, rows out. Frames are reused; who keeps one copies it. */
export type Stage = (input: Iterable<Frame>) => Iterable<Frame>;

export interface QueryStats {
  scannedFull: number;
  scannedIndex: number;
  filtered: number;
}

export function forCollection(access: Access, slot: number, stats: QueryStats, budget: Budget): Stage {
  const counter = access.via === 'scan' ? 'scannedFull' : 'scannedIndex';
  return function* (input) {
    for (const frame of input) {
      for (const doc of access.read(frame)) {
        stats[counter] += 1;
        budget.spend();
        frame[slot] = doc;
        yield frame;
      }
    }
  };
}

export function forList(source: Evaluate, slot: number): Stage {
  return function* (input) {
    for (const frame of input) {
      const items = source(frame);
      if (!Array.isArray(items)) throw notIterable(items);
      for (const item of items as unknown[]) {
        frame[slot] = item;
        yield frame;
      }
    }
  };
}

export function assign(slot: number, value: Evaluate): Stage {
  return function* (input) {
    for (const frame of input) {
      frame[slot] = value(frame);
      yield frame;
    }
  };
}

export function filterRows(condition: Evaluate, stats: QueryStats): Stage {
  return function* (input) {
    for (const frame of input) {
      if (isTrue(condition(frame))) yield frame;
      else stats.filtered += 1;
    }
  };
}

export function sortRows(keys: { by: Evaluate; descending: boolean }[]): Stage {
  return function* (input) {
    const rows: { frame: Frame; values: unknown[] }[] = [];
    for (const frame of input) rows.push({ frame: frame.slice(), values: keys.map(({ by }) => by(frame)) });
    rows.sort((a, b) => {
      for (let i = 0; i < keys.length; i++) {
        const order = compareValues(a.values[i], b.values[i]);
        if (order !== 0) return keys[i]?.descending ? -order : order;
      }
      return 0;
    });
    for (const { frame } of rows) yield frame;
  };
}

export function limitRows(offset: number, count: number): Stage {
  return function* (input) {
    if (count === 0) return;
    let at = 0;
    for (const frame of input) {
      at += 1;
      if (at > offset) yield frame;
      if (at >= offset + count) return;
    }
  };
}

export function rowCount(value: unknown, ifNull: number): number {
  if (value === null) return ifNull;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new ArangoFault(1553, 'LIMIT value is not a non-negative number');
}

function notIterable(value: unknown): ArangoFault {
  const type =
    value === null || value === undefined ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value;
  return new ArangoFault(
    1563,
    `AQL: collection or array expected as operand to FOR loop; you provided a value of type '${type}' (while executing)`,
  );
}
