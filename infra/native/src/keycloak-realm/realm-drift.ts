import type { RealmAdmin } from './realm-admin';
import { type AccountEntry, type ClientEntry, differences, type Mapper, type RealmFile } from './realm-file';

/** One thing that a realm has otherwise than its file. */
export interface Drift {
  /** Names the thing and its fields, never a value: secrets are among them. */
  sentence: string;
  apply(): Promise<void>;
}

type Fields = Record<string, unknown>;
interface Named {
  id: string;
  name: string;
}

/**
 * What must be changed for a realm to be as its file says. Looked at are the things that the file names; of a client's
 * mappers and an account's roles also those that it does not name, because they would widen what a token says.
 * Clients and accounts that the file does not know are nobody's drift: identity-service and people make them.
 */
export async function driftOf(admin: RealmAdmin, file: RealmFile): Promise<Drift[]> {
  return [
    ...(await settingsDrift(admin, file)),
    ...(await roleDrift(admin, file)),
    ...(await profileDrift(admin, file)),
    ...(await inTurn(file.clients, (client) => clientDrift(admin, client))),
    ...(await inTurn(file.accounts, (account) => accountDrift(admin, account, file))),
  ];
}

async function settingsDrift(admin: RealmAdmin, { settings }: RealmFile): Promise<Drift[]> {
  const fields = differences(await admin.get(''), settings);
  if (fields.length === 0) return [];
  return [{ sentence: `the realm's ${fields.join(', ')}`, apply: () => admin.change('PUT', '', settings) }];
}

async function roleDrift(admin: RealmAdmin, { roles }: RealmFile): Promise<Drift[]> {
  const there = await admin.get<{ name: string; description?: string }[]>('/roles');
  return roles.flatMap((role): Drift[] => {
    const present = there.find(({ name }) => name === role.name);
    if (present === undefined)
      return [
        { sentence: `role ${role.name} is missing`, apply: () => admin.change('POST', '/roles', role) },
      ];
    const fields = differences(present, role);
    if (fields.length === 0) return [];
    const apply = (): Promise<void> => admin.change('PUT', `/roles/${role.name}`, { ...present, ...role });
    return [{ sentence: `role ${role.name}: ${fields.join(', ')}`, apply }];
  });
}

async function profileDrift(admin: RealmAdmin, { userProfile }: RealmFile): Promise<Drift[]> {
  if (userProfile === undefined) return [];
  const fields = differences(await admin.get('/users/profile'), userProfile);
  if (fields.length === 0) return [];
  const apply = (): Promise<void> => admin.change('PUT', '/users/profile', userProfile);
  return [{ sentence: `the user profile's ${fields.join(', ')}`, apply }];
}

async function clientDrift(admin: RealmAdmin, wanted: ClientEntry): Promise<Drift[]> {
  const name = `client ${wanted.clientId}`;
  const [present] = await admin.get<(ClientEntry & { id: string })[]>(
    `/clients?clientId=${encodeURIComponent(wanted.clientId)}`,
  );
  if (present === undefined)
    return [{ sentence: `${name} is missing`, apply: () => admin.change('POST', '/clients', wanted) }];
  const { protocolMappers = [], ...own } = wanted;
  const found: Drift[] = [];
  const fields = differences(present, own);
  if (fields.length > 0) {
    const merged = { ...present, ...own, attributes: { ...present.attributes, ...own.attributes } };
    const apply = (): Promise<void> => admin.change('PUT', `/clients/${present.id}`, merged);
    found.push({ sentence: `${name}: ${fields.join(', ')}`, apply });
  }
  const models = `/clients/${present.id}/protocol-mappers/models`;
  const mappers = (present.protocolMappers ?? []) as (Mapper & { id: string })[];
  for (const mapper of protocolMappers) {
    const there = mappers.find((each) => each.name === mapper.name);
    if (there === undefined) {
      const apply = (): Promise<void> => admin.change('POST', models, mapper);
      found.push({ sentence: `${name} lacks the mapper ${mapper.name}`, apply });
    } else if (differences(there, mapper).length > 0) {
      const apply = (): Promise<void> =>
        admin.change('PUT', `${models}/${there.id}`, { ...there, ...mapper });
      found.push({ sentence: `${name}: mapper ${mapper.name}`, apply });
    }
  }
  for (const { id, name: extra } of mappers) {
    if (protocolMappers.some((each) => each.name === extra)) continue;
    const apply = (): Promise<void> => admin.change('DELETE', `${models}/${id}`);
    found.push({ sentence: `${name} has the mapper ${extra}, which the file does not know`, apply });
  }
  return found;
}

async function accountDrift(admin: RealmAdmin, wanted: AccountEntry, { roles }: RealmFile): Promise<Drift[]> {
  const name = `account ${wanted.username}`;
  const [present] = await admin.get<(Fields & { id: string; attributes?: Fields })[]>(
    `/users?exact=true&username=${encodeURIComponent(wanted.username)}`,
  );
  // The account of a service comes with its client.
  if (present === undefined)
    return [{ sentence: `${name} is missing: apply once more`, apply: () => Promise.resolve() }];
  const found: Drift[] = [];
  const fields = differences(present, { attributes: wanted.attributes });
  if (fields.length > 0) {
    const attributes = { ...present.attributes, ...wanted.attributes };
    const apply = (): Promise<void> =>
      admin.change('PUT', `/users/${present.id}`, { ...present, attributes });
    found.push({ sentence: `${name}: ${fields.join(', ')}`, apply });
  }
  const mappings = `/users/${present.id}/role-mappings/realm`;
  const held = await admin.get<Named[]>(mappings);
  for (const { name: role } of roles) {
    const has = held.find((each) => each.name === role);
    const should = wanted.realmRoles?.includes(role) === true;
    if ((has !== undefined) === should) continue;
    const apply = async (): Promise<void> =>
      admin.change(should ? 'POST' : 'DELETE', mappings, [has ?? (await admin.get<Named>(`/roles/${role}`))]);
    found.push({ sentence: `${name} ${should ? 'lacks' : 'has'} the role ${role}`, apply });
  }
  return found;
}

async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<Drift[]>): Promise<Drift[]> {
  const found: Drift[] = [];
  for (const item of items) found.push(...(await work(item)));
  return found;
}
