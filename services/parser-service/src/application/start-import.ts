import { Clock, type FieldFault, Ids } from '@sociograph/kernel';
import { actOf } from '../domain/audit';
import { invalidImport } from '../domain/errors';
import { type Forecast, forecast } from '../domain/forecast';
import { ImportJob } from '../domain/import-job';
import {
  type ImportScope,
  type Inclusion,
  type ProfileField,
  type SubjectKind,
  subjectKind,
  USUAL_POSTS,
  USUAL_SCOPE,
} from '../domain/import-scope';
import { Imports, KeyPool, Networks, type SocialNetwork } from '../domain/ports';

export interface StartImportCommand {
  workspaceId: string;
  startedBy: string;
  network: string;
  seeds: string[];
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
}

/** Starts an import; the first calls leave as soon as the workspace has a key. */
export class StartImport {
  constructor(
    private readonly imports: Imports,
    private readonly pool: KeyPool,
    private readonly networks: Networks,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  async handle(command: StartImportCommand): Promise<StartedImport> {
    const planned = await this.plan(command);
    const { startedBy: by, correlationId } = command;
    const { createdAt } = planned.job.snapshot;
    await this.imports.add(planned.job, actOf('import.create', { by, correlationId }, this.ids, createdAt));
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
    const scope = scopeOf(command);
    const seeds = seedsOf(command, network, scope);
    const callsPerSecond = await this.pool.callsPerSecond({
      workspaceId: command.workspaceId,
      network: network.name,
    });
    const job = ImportJob.start({
      id: this.ids.next(),
      workspaceId: command.workspaceId,
      network: network.name,
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
        people: count('person'),
        groups: count('group'),
        names: count('name'),
        keyCallsPerSecond: network.keyCallsPerSecond,
        callsPerSecond,
      },
      network.packSizes,
    );
    return { job, forecast: expected };
  }
}

function scopeOf({ include, fields, walls }: StartImportCommand): ImportScope {
  const asked = include ?? USUAL_SCOPE.include;
  const unbounded = walls?.since === undefined && walls?.last === undefined;
  return {
    include: asked,
    fields: fields ?? [],
    walls: asked.includes('walls')
      ? { since: walls?.since ?? null, last: unbounded ? USUAL_POSTS : (walls?.last ?? null) }
      : USUAL_SCOPE.walls,
  };
}

/** The seeds as the network writes them, each once, in the order given. */
function seedsOf(command: StartImportCommand, network: SocialNetwork, scope: ImportScope): string[] {
  const faults: FieldFault[] = [];
  const seeds = new Set<string>();
  scope.include.forEach((asked, index) => {
    if (!network.offers.includes(asked)) {
      faults.push({ field: `include.${index}`, message: `${network.name} does not offer ${asked}` });
    }
  });
  if (command.walls !== undefined && !scope.include.includes('walls')) {
    faults.push({ field: 'walls', message: 'needs `walls` in `include`' });
  }
  command.seeds.forEach((given, index) => {
    const id = network.subject(given);
    if (id === undefined) {
      faults.push({ field: `seeds.${index}`, message: `neither an id nor a name of ${network.name}` });
    } else seeds.add(id);
  });
  if (command.seeds.length === 0) faults.push({ field: 'seeds', message: 'at least one seed is needed' });
  const people = [...seeds].filter((seed) => subjectKind(seed) !== 'group').length;
  if (command.peopleLimit !== null && people > command.peopleLimit) {
    faults.push({ field: 'limits.people', message: 'lower than the number of seeds' });
  }
  if (faults.length > 0) throw invalidImport(faults);
  return [...seeds];
}
