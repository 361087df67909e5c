import type { KeyKind, SimulatedKey } from '../keys';
import type { World } from '../world';

export interface MethodCall {
  world: World;
  key: SimulatedKey;
  parameters: ReadonlyMap<string, string>;
  /** The simulator's wall clock, milliseconds, at the arrival of the request. */
  at: number;
}

/** A method of the API: which kinds of key may call it, and its answer. Failures are ApiErrors. */
export interface Method {
  kinds: readonly KeyKind[];
  answer(call: MethodCall): unknown;
}
