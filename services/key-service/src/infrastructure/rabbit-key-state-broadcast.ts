import { EXCHANGES, type KeyStateChanged, keyStateChanged } from '@sociograph/contracts';
import type { Fanout } from '@sociograph/messaging';
import type { ApiKey } from '../domain/api-key';
import { KeyStateBroadcast } from '../domain/ports';

/** Fanout over RabbitMQ. Not through the outbox: it is worth something only at once. */
export class RabbitKeyStateBroadcast extends KeyStateBroadcast {
  constructor(private readonly fanout: Pick<Fanout, 'publishFanout'>) {
    super();
  }

  async announce(
    key: ApiKey,
    at: number,
    limits: { restingUntil?: number; egress?: string } = {},
  ): Promise<void> {
    const { id, workspaceId, network, state, version } = key.details;
    const message: KeyStateChanged = { keyId: id, workspaceId, network, state, version, at, ...limits };
    const body = Buffer.from(JSON.stringify(keyStateChanged.schema.parse(message)));
    await this.fanout.publishFanout(EXCHANGES.keyState, body, 1_000);
  }
}
