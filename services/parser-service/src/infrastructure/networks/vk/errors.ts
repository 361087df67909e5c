import type { ItemOutcome } from '../../../domain/items';

/** One entry of `execute_errors`, or the error of a whole answer. */
export interface VkError {
  method: string;
  code: number;
  message: string;
}

/** The key's, the owner's or the limit's fault: another key, or the same one later, gets the same item. */
const OF_THE_KEY = new Set([
  ...[5, 6, 7, 9, 14, 17, 27, 28, 29, 42, 1114, 1116, 1117, 1118],
  ...[3300, 3301, 3302, 3303, 3304, 3609, 3610],
]);
/** The answer or its making is too big for one call. */
const TOO_MUCH = new Set([13, 36]);
/** An id that VK does not accept. In a call with many ids nobody knows which. */
const BAD_ID = new Set([100, 113, 125]);
/** Error 100 of a request that VK no longer understands: no id is to blame, and the next one would fare no better. */
const PARAMETER_MISSING = /is undefined/i;
const NO_ACCESS_TO_METHOD = /no access to call this method/i;
/** Tails of error 15 about somebody, or a community, who is no more. */
const DEACTIVATED = /user deactivated|group is blocked/i;

export function isKeyFault({ code, message }: VkError): boolean {
  return OF_THE_KEY.has(code) || (code === 15 && NO_ACCESS_TO_METHOD.test(message));
}

export function isTooMuch({ code }: VkError): boolean {
  return TOO_MUCH.has(code);
}

export function isBadId({ code, message }: VkError): boolean {
  return BAD_ID.has(code) && !(code === 100 && PARAMETER_MISSING.test(message));
}

/** As a certificate shows it; of a parameter that is wrong also which. */
export function causeOf({ method, code, message }: VkError): string {
  return `error ${code} of ${method}${code === 100 ? `: ${message}` : ''}`;
}

/** What the error of one inner call says of the person or group that it was about (facts/vk-api.md, 4 and 4.1). */
export function outcomeOfError(error: VkError): ItemOutcome {
  const cause = causeOf(error);
  if (isKeyFault(error)) return { kind: 'again', blame: 'key', cause };
  if (isBadId(error)) return { kind: 'absent', cause: 'unknown' };
  switch (error.code) {
    case 30:
    case 203:
      return { kind: 'absent', cause: 'private' };
    case 15:
      return { kind: 'absent', cause: DEACTIVATED.test(error.message) ? 'deleted' : 'hidden' };
    case 19:
    case 260:
      return { kind: 'absent', cause: 'hidden' };
    case 18:
    case 37:
      return { kind: 'absent', cause: 'deleted' };
    case 39:
    case 40:
    case 104:
      return { kind: 'absent', cause: 'unknown' };
    default:
      return { kind: 'again', blame: 'item', cause };
  }
}
