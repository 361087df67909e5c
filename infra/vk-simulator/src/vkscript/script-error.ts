/**
 * Why a script did not run to its end. 12 = it does not compile, or uses what this interpreter does not know;
 * 13 = it failed while running. `detail` follows the colon in VK's error_msg.
 */
export class ScriptError extends Error {
  constructor(
    readonly code: 12 | 13,
    readonly detail: string,
  ) {
    super(detail);
    this.name = 'ScriptError';
  }
}
