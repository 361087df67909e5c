import type { RealmAdmin } from './realm-admin';

const KEY_PROVIDERS = 'org.keycloak.keys.KeyProvider';
const ALGORITHM = 'RS256';
/** Above whatever signs now, with room for keys that somebody puts in between by hand. */
const PRIORITY_STEP = 10;

interface Component {
  id: string;
  name: string;
  providerId: string;
  config: Record<string, string[] | undefined>;
}

/** A key pair of a realm that can sign access tokens. */
export interface SigningKey {
  /** Of its provider in the realm. */
  readonly id: string;
  /** Its id in tokens and in the published set; undefined while the realm does not publish it. */
  readonly kid: string | undefined;
  readonly priority: number;
  readonly enabled: boolean;
  /** May sign; the one of highest priority does. What is enabled but not active is only published. */
  readonly active: boolean;
}

/** Where a rotation stands. All of it is in the realm, so that any run goes on where another one ended. */
export type Rotation =
  | { readonly kind: 'none'; readonly signs: SigningKey }
  /** The next key is published and does not sign yet. */
  | { readonly kind: 'prepared'; readonly signs: SigningKey; readonly next: SigningKey }
  /** Another key signs; the old ones are still published, because tokens that they signed may live. */
  | { readonly kind: 'superseded'; readonly signs: SigningKey; readonly old: readonly SigningKey[] };

/** Reads a rotation off the keys. Throws where nothing signs: then nobody gets a token, and nothing here helps. */
export function rotationOf(keys: readonly SigningKey[]): Rotation {
  const enabled = keys.filter((key) => key.enabled).sort((a, b) => b.priority - a.priority);
  const signs = enabled.find(({ active }) => active);
  if (signs === undefined)
    throw new Error('No enabled key of the realm is active: nothing signs its tokens.');
  const [first] = enabled;
  if (first !== undefined && first !== signs) return { kind: 'prepared', signs, next: first };
  const old = enabled.filter((key) => key !== signs);
  return old.length === 0 ? { kind: 'none', signs } : { kind: 'superseded', signs, old };
}

/** The signing keys of a realm, by its Admin API. */
export class SigningKeys {
  constructor(private readonly admin: RealmAdmin) {}

  async all(): Promise<SigningKey[]> {
    const [components, published] = await Promise.all([
      this.admin.get<Component[]>(`/components?type=${KEY_PROVIDERS}`),
      this.admin.get<{ keys: { providerId: string; kid: string; algorithm?: string; use?: string }[] }>(
        '/keys',
      ),
    ]);
    return components
      .filter(
        ({ providerId, config }) => /^(rsa|rsa-generated|java-keystore)$/.test(providerId) && signs(config),
      )
      .map(({ id, config }) => ({
        id,
        kid: published.keys.find((key) => key.providerId === id && key.algorithm === ALGORITHM)?.kid,
        priority: Number(config['priority']?.[0] ?? 0),
        enabled: config['enabled']?.[0] !== 'false',
        active: config['active']?.[0] !== 'false',
      }));
  }

  /** A new key above the one that signs: published, not used. */
  async prepare(above: SigningKey, name: string): Promise<void> {
    const { id: parentId } = await this.admin.get<{ id: string }>('');
    await this.admin.change('POST', '/components', {
      name,
      parentId,
      providerId: 'rsa-generated',
      providerType: KEY_PROVIDERS,
      config: {
        priority: [String(above.priority + PRIORITY_STEP)],
        enabled: ['true'],
        active: ['false'],
        algorithm: [ALGORITHM],
        keySize: ['2048'],
      },
    });
  }

  async set({ id }: SigningKey, change: { active?: boolean; enabled?: boolean }): Promise<void> {
    const component = await this.admin.get<Component>(`/components/${id}`);
    const config = { ...component.config };
    for (const [name, value] of Object.entries(change)) config[name] = [String(value)];
    await this.admin.change('PUT', `/components/${id}`, { ...component, config });
  }

  /** The longest that an access token of this realm can live, in seconds: of the realm, or of a client of its own. */
  async longestTokenSeconds(): Promise<number> {
    const [realm, clients] = await Promise.all([
      this.admin.get<{ accessTokenLifespan?: number }>(''),
      this.admin.get<{ attributes?: Record<string, string> }[]>('/clients'),
    ]);
    const own = clients.map(({ attributes }) => Number(attributes?.['access.token.lifespan'] ?? 0));
    return Math.max(realm.accessTokenLifespan ?? 300, ...own.filter((seconds) => Number.isFinite(seconds)));
  }
}

function signs(config: Component['config']): boolean {
  const use = config['keyUse']?.[0] ?? 'SIG';
  return (config['algorithm']?.[0] ?? ALGORITHM) === ALGORITHM && use.toUpperCase() === 'SIG';
}
