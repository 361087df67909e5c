import { randomBytes } from 'node:crypto';
import { accessToken, addRealmKey, Forge, type RealmKey } from '@sociograph/testing';
import { Caller } from './caller';
import { graphRecipes } from './graph-recipes';
import { importRecipes } from './import-recipes';
import { keyRecipes } from './key-recipes';
import { peopleRecipes } from './people-recipes';
import type { FuzzStack } from './stack';

/** A request that a recipe needs first; see `take_step` in hooks.py. */
export interface Step {
  method: string;
  path: string;
  role?: string;
  body?: unknown;
  /** Names for `{{name}}` of the request, and where in the answer they are. */
  find?: Record<string, string>;
  tries?: number;
  /** Seconds between two tries; 0.05 unless told. */
  pause?: number;
}

/** A request that succeeds. `{{uuid}}` in a text is another one each time. */
export interface Recipe {
  path?: Record<string, string | number>;
  query?: Record<string, string | number>;
  headers?: Record<string, string>;
  body?: unknown;
  type?: string;
  /** The strongest that may, unless told. */
  role?: string;
  token?: string;
  /** It succeeds one time only. */
  once?: boolean;
  before?: Step[];
}

export type Recipes = Record<string, Recipe[]>;

export interface FuzzWorld {
  gatewayUrl: string;
  /** By role; `none` has a workspace and no role, `nobody` has no token. */
  tokens: Record<string, string>;
  recipes: Recipes;
}

interface AuditPage {
  items: { action: string; result: string }[];
  next: string | null;
}

/** Of 200 records each, newest first. */
const MOST_PAGES = 200;
/** Long enough for a run, short enough for the gateway, which takes an hour at most. */
const TOKEN_SECONDS = 3_500;
const ROLES = ['viewer', 'analyst', 'operator', 'admin'] as const;
/** Limits of the workspace that no run comes to. */
const LIMITS = {
  people: 1e9,
  'running-imports': 1e4,
  keys: 1e6,
  exports: 1e6,
  'stored-bytes': 1e12,
  streams: 1e4,
  members: 1e4,
};

/** A workspace in which there is something of everything, the accounts that ask, and for each operation how to succeed. */
export class WorldMaker {
  private key: RealmKey | undefined;
  private caller: Caller | undefined;
  private readonly workspace = `fuzz-${randomBytes(4).toString('hex')}`;

  constructor(
    private readonly stack: FuzzStack,
    private readonly say: (line: string) => void,
  ) {}

  async make(): Promise<FuzzWorld> {
    const forge = await this.forge();
    const tokens = this.tokens(forge);
    const gatewayUrl = this.stack.value('GATEWAY_URL');
    const caller = (this.caller = new Caller(gatewayUrl, tokens));
    await this.untilKnown(caller);
    await caller.ask('PUT', `/v1/workspaces/${this.workspace}/quotas`, {
      body: { limits: LIMITS },
      role: 'platform-operator',
    });
    this.say('keys, members and imports');
    const keys = await keyRecipes(caller, this.stack.keyTokens);
    const [people, imports] = await Promise.all([
      peopleRecipes(caller, (subject, workspace) =>
        this.tokenOf(forge, subject, workspace ? ['viewer'] : [], workspace ? this.workspace : undefined),
      ),
      importRecipes(caller, this.stack),
    ]);
    this.say('exports, analyses and erasures');
    const graph = await graphRecipes(caller, imports.world);
    return { gatewayUrl, tokens, recipes: { ...keys, ...people, ...imports.recipes, ...graph } };
  }

  /** What the audit trail says was done, in all workspaces of the stack. */
  async trail(): Promise<Set<string>> {
    const actions = new Set<string>();
    let cursor = '';
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const found = await this.caller?.ask<AuditPage>('GET', `/v1/audit?limit=200${cursor}`, {
        role: 'platform-operator',
      });
      for (const { action, result } of found?.items ?? []) if (result === 'done') actions.add(action);
      if (typeof found?.next !== 'string') break;
      cursor = `&cursor=${found.next}`;
    }
    return actions;
  }

  /** Ends what would go on in a stack that stays, and the tokens. */
  async close(): Promise<void> {
    for (const state of ['running', 'paused']) {
      const path = `/v1/imports?limit=200&state=${state}`;
      const found = await this.caller?.ask<{ items: { id: string }[] }>('GET', path).catch(() => undefined);
      for (const { id } of found?.items ?? [])
        await this.caller?.ask('POST', `/v1/imports/${id}/cancel`).catch(() => undefined);
    }
    await this.key?.remove();
  }

  private async forge(): Promise<Forge> {
    this.key = await addRealmKey({
      keycloakUrl: this.stack.value('KEYCLOAK_URL'),
      realm: this.stack.value('KEYCLOAK_REALM'),
      adminToken: () =>
        accessToken({
          issuer: `${this.stack.value('KEYCLOAK_URL')}/realms/master`,
          clientId: this.stack.value('KEYCLOAK_ADMIN_CLIENT_ID'),
          clientSecret: this.stack.value('KEYCLOAK_ADMIN_CLIENT_SECRET'),
        }),
    });
    this.stack.refreshKeys();
    return new Forge(this.key, this.stack.value('OIDC_ISSUER'), this.workspace);
  }

  private tokenOf(forge: Forge, subject: string, roles: readonly string[], workspace?: string): string {
    const now = Math.floor(Date.now() / 1000);
    // Of somebody who was just removed, only tokens of after that second are good.
    const times = { iat: now + 2, exp: now + TOKEN_SECONDS };
    return forge.token({
      claims: { sub: subject, ...times, realm_access: { roles }, workspace_id: workspace },
    });
  }

  private tokens(forge: Forge): Record<string, string> {
    const of = (role: string): [string, string] => [
      role,
      this.tokenOf(forge, `fuzz-${role}`, [role], this.workspace),
    ];
    return {
      ...Object.fromEntries(ROLES.map(of)),
      'platform-operator': this.tokenOf(forge, 'fuzz-platform-operator', ['platform-operator']),
      none: this.tokenOf(forge, 'fuzz-none', [], this.workspace),
    };
  }

  /** The gateway fetches the realm's keys now and then, a service with the first token that it cannot verify. */
  private async untilKnown(caller: Caller): Promise<void> {
    const deadline = performance.now() + 60_000;
    const paths = ['/v1/keys', '/v1/imports', '/v1/exports', '/v1/events?limit=1', '/v1/workspace'];
    for (const path of paths) {
      for (;;) {
        try {
          await caller.ask<unknown>('GET', path);
          break;
        } catch (error) {
          if (performance.now() > deadline) throw error;
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
      }
    }
  }
}
