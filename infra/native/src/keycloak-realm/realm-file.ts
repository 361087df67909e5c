type Fields = Record<string, unknown>;

export interface Mapper extends Fields {
  name: string;
}

export interface ClientEntry extends Fields {
  clientId: string;
  secret?: string;
  attributes?: Fields;
  protocolMappers?: Mapper[];
}

export interface AccountEntry {
  username: string;
  attributes?: Fields;
  realmRoles?: string[];
}

/** A realm file of Keycloak, in the parts that are compared. */
export interface RealmFile {
  realm: string;
  /** Everything of the realm itself: lifespans, brute-force protection, policies. */
  settings: Fields;
  roles: { name: string; description?: string }[];
  clients: ClientEntry[];
  accounts: AccountEntry[];
  userProfile: Fields | undefined;
}

const PROFILE = 'org.keycloak.userprofile.UserProfileProvider';

/**
 * Reads a realm file and puts the values of `environment` for `${NAME}`, as Keycloak's import does. A secret without a
 * value is left out: it cannot be compared and is not changed.
 */
export function readRealmFile(text: string, environment: Readonly<NodeJS.ProcessEnv>): RealmFile {
  const document = JSON.parse(text, (_, value: unknown) => {
    const name = typeof value === 'string' ? /^\$\{([A-Z][A-Z0-9_]*)\}$/.exec(value)?.[1] : undefined;
    return name === undefined ? value : environment[name];
  }) as Fields;
  const { realm, roles, clients, users, components, ...settings } = document;
  const [provider] = ((components as Fields | undefined)?.[PROFILE] ?? []) as { config: Fields }[];
  const profile = (provider?.config['kc.user.profile.config'] as string[] | undefined)?.[0];
  return {
    realm: realm as string,
    settings,
    roles: ((roles as Fields | undefined)?.['realm'] ?? []) as RealmFile['roles'],
    clients: (clients ?? []) as ClientEntry[],
    accounts: (users ?? []) as AccountEntry[],
    userProfile: profile === undefined ? undefined : (JSON.parse(profile) as Fields),
  };
}

/** Where `is` lacks something of `should` or has it otherwise, as paths; what the file does not name is not looked at. */
export function differences(is: unknown, should: unknown, path = ''): string[] {
  if (should === undefined) return [];
  if (Array.isArray(should)) {
    if (!Array.isArray(is) || is.length !== should.length) return [path];
    const [left, right] = should.every((each) => typeof each === 'string')
      ? [[...(is as unknown[])].sort(), [...should].sort()]
      : [is as unknown[], should];
    return right.flatMap((each, at) => differences(left[at], each, `${path}[${at}]`));
  }
  if (typeof should === 'object' && should !== null) {
    if (typeof is !== 'object' || is === null) return [path];
    return Object.entries(should).flatMap(([name, each]) =>
      differences((is as Fields)[name], each, path === '' ? name : `${path}.${name}`),
    );
  }
  return is === should ? [] : [path];
}
