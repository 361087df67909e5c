/** One process of the fleet as the supervisor is told about it. */
export interface ProcessSpec {
  /** `key-service-0`; unique. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, number>>;
  /** Changes when the built code changes: a process whose spec differs is restarted by `apply`. */
  readonly revision: string;
}
