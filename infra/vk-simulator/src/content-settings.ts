import type { Chosen } from './content/chosen';
import type { DriftOptions } from './content/drift';
import type { GroupOptions } from './content/groups';
import type { WallOptions } from './content/walls';
import type { Visibility, WorldOptions } from './content/world';

type Given = (name: string) => string | undefined;

/** Defaults of the flags that say what is in the world. */
export const USUAL_CONTENT: Record<string, string> = {
  private: '0',
  hidden: '0',
  deleted: '0',
  banned: '0',
  groups: '200',
  memberships: '12',
  crowd: '0',
  'closed-groups': '0',
  'private-groups': '0',
  'banned-groups': '0',
  'hidden-members': '0',
  'hidden-groups': '0',
  posts: '40',
  'post-length': '400',
  'closed-walls': '0',
  'blocked-walls': '0',
  'new-friends': '0',
  'new-posts': '0',
  called: '',
};

export type ContentSettings = Pick<WorldOptions, 'shares' | 'named' | 'called'> & {
  groups: GroupOptions;
  walls: WallOptions;
  drift: DriftOptions;
  hiddenGroups: Chosen;
};

export function readContent(given: Given): ContentSettings {
  const whole = (name: string, most = Number.MAX_SAFE_INTEGER): number => {
    const value = Number(given(name));
    if (!Number.isInteger(value) || value < 0 || value > most) {
      throw new Error(
        `--${name} must be a whole number of at least 0${most < 1e6 ? ` and at most ${most}` : ''}.`,
      );
    }
    return value;
  };
  return {
    ...visibilities(given),
    called: names(given('called') ?? ''),
    groups: {
      groups: whole('groups'),
      memberships: whole('memberships', 64),
      crowd: whole('crowd'),
      closedGroups: chosen(given, 'closed-groups'),
      privateGroups: chosen(given, 'private-groups'),
      bannedGroups: chosen(given, 'banned-groups'),
      hiddenMembers: chosen(given, 'hidden-members'),
    },
    walls: {
      posts: whole('posts'),
      postLength: whole('post-length'),
      closedWalls: chosen(given, 'closed-walls'),
      blockedWalls: chosen(given, 'blocked-walls'),
    },
    drift: { friendEvery: whole('new-friends'), postEvery: whole('new-posts') },
    hiddenGroups: chosen(given, 'hidden-groups'),
  };
}

/** `5500` after each method: `groups.get=5500,wall.get=5000`; `none` or nothing = no method. */
export function numbersByMethod(name: string, text: string | undefined): Map<string, number> {
  const found = new Map<string, number>();
  if (text === 'none') return found;
  for (const entry of (text ?? '').split(',').filter(Boolean)) {
    const [method, number] = entry.split('=');
    if (method === undefined || !/^\d+$/.test(number ?? ''))
      throw new Error(`--${name} must be like friends.get=5000, not ${entry}.`);
    found.set(method, Number(number));
  }
  return found;
}

/** `7=Vera/Orlova,8=...`: Latin letters, which screen names are made of too. */
function names(text: string): Map<number, readonly [string, string]> {
  return new Map(
    text
      .split(',')
      .filter(Boolean)
      .map((entry) => {
        const [, id, first, last] = /^(\d{1,15})=([A-Za-z]+)\/([A-Za-z]+)$/.exec(entry) ?? [];
        if (id === undefined || first === undefined || last === undefined)
          throw new Error(`--called must be like 7=Vera/Orlova, not ${entry}.`);
        return [Number(id), [first, last] as const];
      }),
  );
}

/** Two numbers of refusals: `3-20`. */
export function stages(text: string): readonly [number, number] {
  const [, captchas, limits] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  if (captchas === undefined) throw new Error('--hidden-stages must be two numbers of refusals: 3-20.');
  return [Number(captchas), Number(limits)];
}

/** `0.05` (with a point, or 0) is a share; anything else is a list of ids as they are served. */
function chosen(given: Given, name: string): Chosen {
  const text = given(name) as string;
  const fault = `--${name} must be a share from 0 to 1.0, or ids.`;
  if (text === '0' || text.includes('.')) {
    const share = Number(text);
    if (!(share >= 0 && share <= 1)) throw new Error(fault);
    return { share, ids: new Set() };
  }
  const ids = text.split(',').map(Number);
  if (ids.some((id) => !Number.isSafeInteger(id) || id === 0)) throw new Error(fault);
  return { share: 0, ids: new Set(ids) };
}

function visibilities(given: Given): Pick<WorldOptions, 'shares' | 'named'> {
  const shares = { private: 0, hidden: 0, deleted: 0, banned: 0 };
  const named = new Map<number, Visibility>();
  for (const state of ['private', 'hidden', 'deleted', 'banned'] as const) {
    const { share, ids } = chosen(given, state);
    shares[state] = share;
    for (const id of ids) {
      if (id < 1) throw new Error(`--${state} must be a share from 0 to 1.0, or ids.`);
      named.set(id, state);
    }
  }
  return { shares, named };
}
