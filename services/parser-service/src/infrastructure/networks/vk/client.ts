import type { Secret } from '@sociograph/kernel';
import { z } from 'zod';
import type { PackSizes } from '../../../domain/packing';
import { type CallContent, type NetworkRequest, type Reading, SocialNetwork } from '../../../domain/ports';
import { VK_CALLS } from './calls';
import { causeOf, isBadId, isKeyFault, isTooMuch, type VkError } from './errors';
import { CALLS_PER_EXECUTE, IDS_PER_GROUPS_GET_BY_ID, IDS_PER_USERS_GET } from './execute-script';
import { subjectOf } from './names';
import { faultOf, unreadable } from './slots';

const API_VERSION = '5.199';
/** Longer than VK takes for the biggest documented answer; a hang is a broken call. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Walls differ in size and time by far more than lists do: their packs begin small and learn (errors 13 and 36). */
const FIRST_WALLS = 5;

/** What stands in front of VK refuses the token, or this key's pace: the items are not to blame. */
const OF_THE_KEY = new Set([401, 429]);

const envelope = z.object({
  response: z.unknown().optional(),
  error: z.object({ error_code: z.number().int(), error_msg: z.string() }).optional(),
  execute_errors: z
    .array(z.object({ method: z.string(), error_code: z.number().int(), error_msg: z.string() }))
    .optional(),
});

/** What the path to VK is measured with: the root of the API's host knows no method and no token, so no limit counts it. */
export const VK_PATH_PROBE = { method: 'HEAD', path: '/' } as const;

/** VK: profiles and groups by their ids, all else packed into `execute` (facts/vk-api.md, 6 and 7). */
export class VkNetwork extends SocialNetwork {
  readonly name = 'vk';
  readonly offers = ['profiles', 'friends', 'groups', 'subscriptions', 'walls', 'members'] as const;
  readonly packSizes: PackSizes = {
    names: { most: CALLS_PER_EXECUTE },
    profiles: { most: IDS_PER_USERS_GET },
    lists: { most: CALLS_PER_EXECUTE },
    'long-list': { most: 1 },
    members: { most: CALLS_PER_EXECUTE },
    groups: { most: CALLS_PER_EXECUTE },
    'long-groups': { most: 1 },
    subscriptions: { most: CALLS_PER_EXECUTE },
    'group-profiles': { most: IDS_PER_GROUPS_GET_BY_ID },
    walls: { most: CALLS_PER_EXECUTE, first: FIRST_WALLS },
  };
  readonly keyCallsPerSecond = 3;

  subject(given: string): string | undefined {
    return subjectOf(given);
  }

  methods(content: CallContent): Record<string, number> {
    const { method, times } = VK_CALLS[content.kind];
    return { [method]: times(content) };
  }

  request(content: CallContent, token: Secret): NetworkRequest {
    const call = VK_CALLS[content.kind];
    const asked = call.asks(content);
    const [path, parameters] = 'code' in asked ? ['/execute', asked] : [`/${call.method}`, asked.parameters];
    return {
      path,
      headers: {
        authorization: `Bearer ${token.reveal()}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: new URLSearchParams({ ...parameters, v: API_VERSION }).toString(),
      timeoutMs: ANSWER_TIMEOUT_MS,
    };
  }

  read(content: CallContent, status: number, body: string): Reading {
    const { people } = content;
    if (OF_THE_KEY.has(status))
      return { kind: 'failed', blame: 'key', cause: `http status ${status}`, errors: [], made: {} };
    if (status !== 200) return broken(`http status ${status}`);
    let answer: unknown;
    try {
      answer = JSON.parse(body);
    } catch {
      return broken('unreadable answer: not JSON'); // Truncated, or a page of the edge in front of VK.
    }
    const made = this.methods(content);
    const parsed = envelope.safeParse(answer);
    if (!parsed.success) {
      const fault = unreadable(faultOf(parsed.error, 'answer'));
      return { kind: 'read', outcomes: new Map(people.map((person) => [person, fault])), errors: [], made };
    }
    const { error, response, execute_errors: inner } = parsed.data;
    if (error !== undefined) {
      const failure = { method: sentAs(content), code: error.error_code, message: error.error_msg };
      return readError(failure, people, made);
    }
    const errors = (inner ?? []).map((entry) => ({
      method: entry.method,
      code: entry.error_code,
      message: entry.error_msg,
    }));
    const outcomes = VK_CALLS[content.kind].read(content, response, errors);
    return { kind: 'read', outcomes, errors: errors.filter((entry) => entry.method !== 'execute'), made };
  }
}

/** The method that the request itself names; the others are inside its script. */
function sentAs(content: CallContent): string {
  const call = VK_CALLS[content.kind];
  return 'code' in call.asks(content) ? 'execute' : call.method;
}

function readError(error: VkError, people: readonly string[], made: Record<string, number>): Reading {
  const cause = causeOf(error);
  const failed = { cause, failure: error, errors: [] };
  if (isTooMuch(error)) return { kind: 'split', why: 'too-much', ...failed, made };
  if (isKeyFault(error)) return { kind: 'failed', blame: 'key', ...failed, made: {} };
  const [only] = people;
  if (isBadId(error) && only !== undefined) {
    return people.length > 1
      ? { kind: 'split', why: 'bad-id', ...failed, made }
      : {
          kind: 'read',
          outcomes: new Map([[only, { kind: 'absent', cause: 'unknown' }]]),
          failure: error,
          errors: [],
          made,
        };
  }
  return { kind: 'failed', blame: 'item', ...failed, made: {} };
}

function broken(cause: string): Reading {
  return { kind: 'failed', blame: 'item', cause, errors: [], made: {} };
}
