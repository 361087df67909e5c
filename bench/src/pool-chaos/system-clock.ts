/** Milliseconds since the machine started: the one clock that all processes share and that no fault touches. */
export function machineNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
