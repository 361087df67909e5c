import { answerOf } from './answers';
import { Api } from './api';
import { patiently } from './patience';
import { clientCredentials, type ConfidentialClient } from './tokens';

/** A fleet with a VK simulator beside it, and the account that the demo and the specs have there. */
export interface FleetAddresses extends ConfidentialClient {
  gatewayUrl: string;
  simulatorUrl: string;
}

/** The public API by a service account, and the pages of the simulator. */
export class FleetApi extends Api {
  private readonly simulatorUrl: string;

  constructor({ gatewayUrl, simulatorUrl, ...client }: FleetAddresses) {
    super({ gatewayUrl, tokens: clientCredentials(client) });
    this.simulatorUrl = simulatorUrl;
  }

  async simulator<T>(path: string): Promise<T> {
    return patiently(async () => answerOf<T>(await fetch(this.simulatorUrl + path), path));
  }
}
