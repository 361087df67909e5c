import { Clock, type FieldFault, Ids } from '@sociograph/kernel';
import { actOf } from '../domain/audit';
import { invalidImport } from '../domain/errors';
import { type Forecast, forecast, forecastOfItems } from '../domain/forecast';
import { ImportJob } from '../domain/import-job';
import {
  type ImportScope,
  type Inclusion,
  type ProfileField,
  type ScopeFiles,
  type SubjectKind,
  subjectKind,
  USUAL_POSTS,
  USUAL_SCOPE,
} from '../domain/import-scope';
import { kindsOf, type RefreshItem } from '../domain/known-people';
import { Imports, KeyPool, Networks, type PeopleOfNetwork, type SocialNetwork } from '../domain/ports';
import { FILE_KINDS, type Upload } from '../domain/upload';
import type { Uploads } from '../domain/upload-ports';
import type { PauseAtQuota } from './pause-at-quota';

export interface StartImportCommand {
  workspaceId: string;
  startedBy: string;
  network: string;
  /** None: everybody, where the network is a file. */
  seeds: string[];
  /** Uploads that are read, where the network is a file. */
  files?: ScopeFiles | undefined;
  /** In place of seeds: who is known, and was looked at last before a moment (ms) or longer ago than so much. */
  refresh?: { before: number } | { olderThanMs: number } | undefined;
  /** What to import beside the people; absent: friends. */
  include?: readonly Inclusion[] | undefined;
  fields?: readonly ProfileField[] | undefined;
  /** `since` in ms since the epoch; absent: the newest 100 posts of each wall. */
  walls?: { since?: number | undefined; last?: number | undefined } | undefined;
  depth: number | null;
  peopleLimit: number | null;
  callsLimit: number | null;
  correlationId?: string | undefined;
}

export interface StartedImport {
  job: ImportJob;
  forecast: Forecast;
  /** Those of a refresh, in place of what follows from seeds. */
  items?: readonly RefreshItem[];
}

/** Starts an import; the first calls leave as soon as the workspace has a key. */
export class StartImport {
  constructor(
    private readonly imports: Imports,
    private readonly pool: KeyPool,
    private readonly networks: Networks,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly uploads?: Pick<Uploads, 'find'>,
    private readonly people?: PeopleOfNetwork,
    private readonly quota?: Pick<PauseAtQuota, 'insistOnRoom'>,
  ) {}

  async handle(command: StartImportCommand): Promise<StartedImport> {
    const planned = await this.plan(command);
    await this.quota?.insistOnRoom(command.workspaceId);
    const { startedBy: by, correlationId } = command;
    const { createdAt } = planned.job.snapshot;
    const act = actOf('import.create', { by, correlationId }, this.ids, createdAt);
    await this.imports.add(planned.job, act, planned.items);
    return planned;
  }

  /** What would be started and what it would cost; nothing is stored. */
  async plan(command: StartImportCommand): Promise<StartedImport> {
    const network = this.networks.find(command.network);
    if (network === undefined) {
      throw invalidImport([
        { field: 'network', message: `unknown network; known: ${this.networks.names.join(', ')}` },
      ]);
    }
    if (command.refresh !== undefined) return this.planRefresh(command, network, command.refresh);
    const files = await this.filesOf(command, network);
    const scope = scopeOf(command, files);
    const seeds = seedsOf(command, network, scope);
    const { workspaceId } = command;
    const callsPerSecond = await this.pool.callsPerSecond({ workspaceId, network: command.network });
    const job = ImportJob.start({
      id: this.ids.next(),
      workspaceId,
      network: command.network,
      seeds,
      scope,
      depth: command.depth,
      peopleLimit: command.peopleLimit,
      callsLimit: command.callsLimit,
      createdBy: command.startedBy,
      createdAt: this.clock.nowMs(),
    });
    const count = (kind: SubjectKind): number => seeds.filter((seed) => subjectKind(seed) === kind).length;
    const expected = forecast(
      {
        ...job.snapshot,
        people: count('person') + (command.seeds.length === 0 ? peopleIn(files, command.peopleLimit) : 0),
        groups: count('group'),
        names: count('name'),
        peopleLimit: files.length > 0 ? null : command.peopleLimit,
        keyCallsPerSecond: network.keyCallsPerSecond,
        callsPerSecond,
      },
      network.packSizes,
    );
    return { job, forecast: expected };
  }

  private async planRefresh(
    command: StartImportCommand,
    network: SocialNetwork,
    refresh: NonNullable<StartImportCommand['refresh']>,
  ): Promise<StartedImport> {
    const { workspaceId, peopleLimit, callsLimit } = command;
    const faults = faultsOfRefresh(command, network);
    if (this.people === undefined || faults.length > 0) throw invalidImport(faults);
    const createdAt = this.clock.nowMs();
    const asked = 'before' in refresh ? refresh.before : createdAt - refresh.olderThanMs;
    // Nothing can have been looked at later: a moment to come would only make the import's record odd.
    const scope = { ...scopeOf(command, []), refresh: { before: Math.min(asked, createdAt) } };
    const [known, callsPerSecond] = await Promise.all([
      this.people.known(workspaceId, network.name),
      this.pool.callsPerSecond({ workspaceId, network: network.name }),
    ]);
    const kinds = kindsOf(scope);
    const { items, ...counts } = known.toRefresh(kinds, scope.refresh.before, peopleLimit ?? Infinity);
    const job = ImportJob.start(
      {
        ...{ id: this.ids.next(), workspaceId, network: network.name, seeds: [], scope, depth: null },
        ...{ peopleLimit, callsLimit, createdBy: command.startedBy, createdAt },
      },
      items,
    ).settleIfDone(createdAt);
    const pace = { callsLimit, callsPerSecond, keyCallsPerSecond: network.keyCallsPerSecond };
    return { job, items, forecast: { refresh: counts, ...forecastOfItems(items, pace, network.packSizes) } };
  }

  /** The uploads that the import names, which must be of its network; none where the network is no file. */
  private async filesOf(
    { workspaceId, network: graph, files }: StartImportCommand,
    network: SocialNetwork,
  ): Promise<Upload[]> {
    const named = FILE_KINDS.flatMap((kind) =>
      files?.[kind] === undefined ? [] : [{ kind, id: files[kind] }],
    );
    if (network.everybody === undefined) {
      if (files === undefined) return [];
      throw invalidImport([{ field: 'files', message: `${network.name} is no network of files` }]);
    }
    if (named.length === 0)
      throw invalidImport([
        { field: 'files', message: 'must name an upload of friendships, of people, or both' },
      ]);
    const found = await Promise.all(named.map(({ id }) => this.uploads?.find(workspaceId, id)));
    const faults = named.flatMap(({ kind }, index): FieldFault[] => {
      const upload = found[index];
      if (upload === undefined) return [{ field: `files.${kind}`, message: 'there is no such upload' }];
      if (upload.kind !== kind) return [{ field: `files.${kind}`, message: `holds ${upload.kind}` }];
      if (upload.network !== graph)
        return [{ field: `files.${kind}`, message: `was uploaded for ${upload.network}` }];
      return [];
    });
    if (faults.length > 0) throw invalidImport(faults);
    return found.filter((upload) => upload !== undefined);
  }
}

function faultsOfRefresh(command: StartImportCommand, network: SocialNetwork): FieldFault[] {
  const beside = 'cannot stand beside refresh';
  const faults = offersFaults(command.include ?? USUAL_SCOPE.include, network);
  if (network.everybody !== undefined)
    faults.push({ field: 'refresh', message: 'a file does not change: upload the newer one' });
  if (command.seeds.length > 0) faults.push({ field: 'seeds', message: beside });
  if (command.depth !== null) faults.push({ field: 'depth', message: beside });
  if (command.files !== undefined) faults.push({ field: 'files', message: beside });
  return [...faults, ...wallsFaults(command)];
}

function offersFaults(include: readonly Inclusion[], network: SocialNetwork): FieldFault[] {
  return include.flatMap((asked, index) =>
    network.offers.includes(asked)
      ? []
      : [{ field: `include.${index}`, message: `${network.name} does not offer ${asked}` }],
  );
}

function wallsFaults({ walls, include }: StartImportCommand): FieldFault[] {
  const asked = (include ?? USUAL_SCOPE.include).includes('walls');
  return walls === undefined || asked ? [] : [{ field: 'walls', message: 'needs `walls` in `include`' }];
}

function peopleIn(files: readonly Upload[], limit: number | null): number {
  return Math.min(limit ?? Infinity, Math.max(0, ...files.map(({ people }) => people)));
}

function scopeOf({ include, fields, walls }: StartImportCommand, files: readonly Upload[]): ImportScope {
  const hasLists = files.length === 0 || files.some(({ kind }) => kind === 'friendships');
  const asked = include ?? (hasLists ? USUAL_SCOPE.include : ['profiles']);
  if (asked.includes('friends') && !hasLists)
    throw invalidImport([{ field: 'include', message: 'friends need an upload of friendships' }]);
  const unbounded = walls?.since === undefined && walls?.last === undefined;
  return {
    include: asked,
    fields: fields ?? [],
    walls: asked.includes('walls')
      ? { since: walls?.since ?? null, last: unbounded ? USUAL_POSTS : (walls?.last ?? null) }
      : USUAL_SCOPE.walls,
    ...(files.length === 0
      ? {}
      : { files: Object.fromEntries(files.map(({ kind, id }) => [kind, id])) as ScopeFiles }),
  };
}

/** The seeds as the network writes them, each once, in the order given. */
function seedsOf(command: StartImportCommand, network: SocialNetwork, scope: ImportScope): string[] {
  const faults: FieldFault[] = [...offersFaults(scope.include, network), ...wallsFaults(command)];
  const seeds = new Set<string>();
  command.seeds.forEach((given, index) => {
    const id = network.subject(given);
    if (id === undefined) {
      faults.push({ field: `seeds.${index}`, message: `neither an id nor a name of ${network.name}` });
    } else seeds.add(id);
  });
  if (command.seeds.length === 0 && network.everybody !== undefined) seeds.add(network.everybody);
  if (seeds.size === 0 && command.seeds.length === 0)
    faults.push({ field: 'seeds', message: 'at least one seed is needed' });
  const people = [...seeds].filter((seed) => subjectKind(seed) !== 'group').length;
  if (command.peopleLimit !== null && people > command.peopleLimit) {
    faults.push({ field: 'limits.people', message: 'lower than the number of seeds' });
  }
  if (faults.length > 0) throw invalidImport(faults);
  return [...seeds];
}
