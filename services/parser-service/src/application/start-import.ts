import { Clock, type FieldFault, Ids } from '@sociograph/kernel';
import { invalidImport } from '../domain/errors';
import { type Forecast, forecast } from '../domain/forecast';
import { ImportJob } from '../domain/import-job';
import { Imports, KeyPool, Networks, type SocialNetwork } from '../domain/ports';

export interface StartImportCommand {
  workspaceId: string;
  startedBy: string;
  network: string;
  seeds: string[];
  depth: number | null;
  peopleLimit: number | null;
  callsLimit: number | null;
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
    const network = this.networks.find(command.network);
    if (network === undefined) {
      throw invalidImport([
        { field: 'network', message: `unknown network; known: ${this.networks.names.join(', ')}` },
      ]);
    }
    const seeds = seedsOf(command, network);
    const callsPerSecond = await this.pool.callsPerSecond({
      workspaceId: command.workspaceId,
      network: network.name,
    });
    const job = ImportJob.start({
      id: this.ids.next(),
      workspaceId: command.workspaceId,
      network: network.name,
      seeds,
      depth: command.depth,
      peopleLimit: command.peopleLimit,
      callsLimit: command.callsLimit,
      createdBy: command.startedBy,
      createdAt: this.clock.nowMs(),
    });
    await this.imports.add(job);
    const expected = forecast(
      { ...job.snapshot, seeds: seeds.length, keyCallsPerSecond: network.keyCallsPerSecond, callsPerSecond },
      network.packSizes,
    );
    return { job, forecast: expected };
  }
}

/** The seeds as the network writes them, each once, in the order given. */
function seedsOf(command: StartImportCommand, network: SocialNetwork): string[] {
  const faults: FieldFault[] = [];
  const seeds = new Set<string>();
  command.seeds.forEach((given, index) => {
    const id = network.personId(given);
    if (id === undefined) faults.push({ field: `seeds.${index}`, message: `not an id of ${network.name}` });
    else seeds.add(id);
  });
  if (command.seeds.length === 0) faults.push({ field: 'seeds', message: 'at least one seed is needed' });
  if (command.peopleLimit !== null && seeds.size > command.peopleLimit) {
    faults.push({ field: 'limits.people', message: 'lower than the number of seeds' });
  }
  if (faults.length > 0) throw invalidImport(faults);
  return [...seeds];
}
