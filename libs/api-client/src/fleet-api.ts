import { answerOf } from './answers';
import { Api, pathOf } from './api';
import { patiently, rest } from './patience';
import { clientCredentials, type ConfidentialClient } from './tokens';
import type { CertificateView, ImportView, SimulatorStats, StartedImportView, SummaryView } from './views';
import { hasEnded } from './watch-import';

/** A fleet with a VK simulator beside it, and the account that the demo and the specs have there. */
export interface FleetAddresses extends ConfidentialClient {
  gatewayUrl: string;
  simulatorUrl: string;
}

/** What is imported; friend lists unless `include` says something else, without a limit unless `depth` sets one. */
export interface ImportOrder {
  seeds: readonly string[];
  depth?: number | undefined;
  include?: readonly string[] | undefined;
}

export interface EndedOptions {
  /** How long the import may take; 15 minutes unless told. */
  timeoutMs?: number;
  everyMs?: number;
}

/**
 * The public API by a service account, and the pages of the simulator: how the demo, the end-to-end specs and the
 * chaos runs have a graph imported.
 */
export class FleetApi extends Api {
  private readonly simulatorUrl: string;

  constructor({ gatewayUrl, simulatorUrl, ...client }: FleetAddresses) {
    super({ gatewayUrl, tokens: clientCredentials(client) });
    this.simulatorUrl = simulatorUrl;
  }

  /** A page of the simulator. */
  async simulator<T>(path: string): Promise<T> {
    return patiently(async () => answerOf<T>(await fetch(this.simulatorUrl + path), path));
  }

  /** A page of the simulator that changes it; never repeated. */
  async tell<T>(path: string): Promise<T> {
    return answerOf<T>(await fetch(this.simulatorUrl + path, { method: 'POST' }), `the simulator's ${path}`);
  }

  /** Registers user keys of the simulator in the account's workspace, one after the other. */
  async registerKeys(tokens: readonly string[]): Promise<void> {
    for (const [index, token] of tokens.entries()) {
      const label = `simulator's key ${index + 1}`;
      const consent = { givenBy: 'the simulator' };
      await this.create('/v1/keys', { network: 'vk', kind: 'user', token, label, consent });
    }
  }

  /** One person of every component; `reachable`: enough of them where closed lists cut the graph. */
  async seeds(reachable = false): Promise<string[]> {
    const path = reachable ? '/seeds?reachable=1' : '/seeds';
    return (await this.simulator<{ seeds: number[] }>(path)).seeds.map(String);
  }

  async startImport({ seeds, depth, include = ['friends'] }: ImportOrder): Promise<StartedImportView> {
    const order = { network: 'vk', seeds, include, ...(depth !== undefined && { depth }) };
    return this.create<StartedImportView>('/v1/imports', order);
  }

  import(id: string): Promise<ImportView> {
    return this.get<ImportView>(pathOf`/v1/imports/${id}`);
  }

  /**
   * The import as it is once it has ended, however it did. It is read again whatever an answer was, since the fleet may
   * be under fire: throws the last failure, or a sentence, only when the time is up.
   */
  async ended(
    id: string,
    { timeoutMs = 15 * 60_000, everyMs = 250 }: EndedOptions = {},
  ): Promise<ImportView> {
    const deadline = performance.now() + timeoutMs;
    let failure: unknown;
    do {
      try {
        const view = await this.import(id);
        if (hasEnded(view)) return view;
        failure = new Error(`The import ${id} is still ${view.state} after ${timeoutMs / 1000} s`);
      } catch (error) {
        failure = error;
      }
      await rest(everyMs);
    } while (performance.now() < deadline);
    throw failure;
  }

  /** The summary as of the end of an import. */
  summaryAfter({ positions = '' }: ImportView): Promise<SummaryView> {
    return this.get<SummaryView>('/v1/graphs/vk/summary', { 'min-position': positions });
  }

  certificate(id: string): Promise<CertificateView> {
    return this.get<CertificateView>(pathOf`/v1/imports/${id}/certificate`);
  }

  stats(): Promise<SimulatorStats> {
    return this.simulator<SimulatorStats>('/stats');
  }
}
