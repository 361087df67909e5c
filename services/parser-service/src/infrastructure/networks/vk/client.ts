import type { Secret } from '@sociograph/kernel';
import { z } from 'zod';
import type { PackKind, PackSizes } from '../../../domain/packing';
import { type NetworkRequest, type Reading, SocialNetwork } from '../../../domain/ports';
import { isBadId, isKeyFault, isTooMuch, type VkError } from './errors';
import {
  CALLS_PER_EXECUTE,
  friendsScript,
  IDS_PER_USERS_GET,
  longListScript,
  PAGES_OF_LONG_LIST,
} from './execute-script';
import { faultOf, friendsOf, longListOf, profilesOf } from './to-observations';

const API_VERSION = '5.199';
/** Longer than VK takes for the biggest documented answer; a hang is a broken call. */
const ANSWER_TIMEOUT_MS = 10_000;
const LARGEST_ID = Number.MAX_SAFE_INTEGER;

const envelope = z.object({
  response: z.unknown().optional(),
  error: z.object({ error_code: z.number().int(), error_msg: z.string() }).optional(),
  execute_errors: z
    .array(z.object({ method: z.string(), error_code: z.number().int(), error_msg: z.string() }))
    .optional(),
});

/** What the path to VK is measured with: the root of the API's host knows no method and no token, so no limit counts it. */
export const VK_PATH_PROBE = { method: 'HEAD', path: '/' } as const;

/** VK: people by users.get, friend lists by execute with up to 25 friends.get (facts/vk-api.md, 6 and 7). */
export class VkNetwork extends SocialNetwork {
  readonly name = 'vk';
  readonly packSizes: PackSizes = { lists: CALLS_PER_EXECUTE, profiles: IDS_PER_USERS_GET };
  readonly keyCallsPerSecond = 3;

  personId(given: string): string | undefined {
    return /^[1-9]\d{0,15}$/.test(given) && Number(given) <= LARGEST_ID ? given : undefined;
  }

  methods(kind: PackKind, people: readonly string[]): Record<string, number> {
    switch (kind) {
      case 'lists':
        return { 'friends.get': people.length };
      case 'long-list':
        return { 'friends.get': PAGES_OF_LONG_LIST };
      case 'profiles':
        return { 'users.get': 1 };
    }
  }

  request(kind: PackKind, people: readonly string[], token: Secret): NetworkRequest {
    const [path, parameters] =
      kind === 'profiles'
        ? ['/users.get', { user_ids: people.join(',') }]
        : ['/execute', { code: kind === 'lists' ? friendsScript(people) : longListScript(people[0] ?? '') }];
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

  read(kind: PackKind, people: readonly string[], status: number, body: string): Reading {
    const method = kind === 'profiles' ? 'users.get' : 'execute';
    if (status !== 200) return broken(`http status ${status}`);
    let content: unknown;
    try {
      content = JSON.parse(body);
    } catch {
      return broken('unreadable answer: not JSON'); // Truncated, or a page of the edge in front of VK.
    }
    const parsed = envelope.safeParse(content);
    if (!parsed.success) return broken(`unreadable answer: ${faultOf(parsed.error, '')}`);
    const { error, response, execute_errors: inner } = parsed.data;
    const made = this.methods(kind, people);
    if (error !== undefined) {
      return readError({ method, code: error.error_code, message: error.error_msg }, people, made);
    }
    const errors = (inner ?? []).map((entry) => ({
      method: entry.method,
      code: entry.error_code,
      message: entry.error_msg,
    }));
    const outcomes =
      kind === 'profiles'
        ? profilesOf(people, response)
        : kind === 'lists'
          ? friendsOf(people, response, errors)
          : new Map([[people[0] ?? '', longListOf(response, PAGES_OF_LONG_LIST, errors)]]);
    return { kind: 'read', outcomes, errors: errors.filter((entry) => entry.method !== 'execute'), made };
  }
}

function readError(error: VkError, people: readonly string[], made: Record<string, number>): Reading {
  const cause = `error ${error.code} of ${error.method}`;
  const failed = { cause, failure: error, errors: [] };
  if (isTooMuch(error)) return { kind: 'split', ...failed, made };
  if (isKeyFault(error)) return { kind: 'failed', blame: 'key', ...failed, made: {} };
  const [only] = people;
  if (isBadId(error) && only !== undefined) {
    return people.length > 1
      ? { kind: 'split', ...failed, made }
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
