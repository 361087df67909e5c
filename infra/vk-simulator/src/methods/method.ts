import type { World } from '../content/world';
import type { KeyKind, SimulatedKey } from '../keys';

export interface MethodCall {
  world: World;
  key: SimulatedKey;
  parameters: ReadonlyMap<string, string>;
  /** The simulator's wall clock, milliseconds, at the arrival of the request. */
  at: number;
  /** Of the API, as one number: 5.131 is 5131. */
  version: number;
}

/** A method of the API: which kinds of key may call it, and its answer. Failures are ApiErrors. */
export interface Method {
  kinds: readonly KeyKind[];
  answer(call: MethodCall): unknown;
}

/**
 * From here on groups.getById and wall.getById answer an object instead of a bare list. 5.131 had the list, 5.199 has
 * the object; where between them it changed is not documented (assumption).
 */
export const OBJECTS_SINCE = 5140;
