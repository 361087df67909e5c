import { randomBytes } from 'node:crypto';
import { rabbitTopology } from '@sociograph/contracts';
import { askRabbit } from './ask-rabbit';
import type { TestServers } from './test-servers';
import { withPath } from './with-path';

export interface OwnVhost {
  name: string;
  /** AMQP URL of a service's account in this virtual host. */
  urlOf(service: string): string;
  drop(): Promise<void>;
}

const EVERYTHING = { configure: '.*', write: '.*', read: '.*' };

/**
 * A virtual host with the platform's exchanges and queues, so that no other process takes this spec's messages. The
 * accounts of `services` and the administrator may do anything in it. Throws when RabbitMQ's management API is not known
 * or refuses.
 */
export async function ownVhost(servers: TestServers, services: readonly string[]): Promise<OwnVhost> {
  const { rabbitmqManagementUrl: management, adminRabbitmqUrl } = servers;
  if (management === undefined) throw new Error('RABBITMQ_MANAGEMENT_URL is not set');
  const name = `own-${randomBytes(6).toString('hex')}`;
  const urlOf = (service: string): string => withPath(servers.of(service, 'RABBITMQ_URL'), name);
  const accounts = [adminRabbitmqUrl, ...services.map(urlOf)].map((url) => new URL(url).username);
  const drop = async (): Promise<void> => void (await askRabbit(management, 'DELETE', `vhosts/${name}`));
  await askRabbit(management, 'PUT', `vhosts/${name}`);
  try {
    for (const account of new Set(accounts))
      await askRabbit(management, 'PUT', `permissions/${name}/${account}`, EVERYTHING);
    await askRabbit(management, 'POST', `definitions/${name}`, definitions());
  } catch (error) {
    await drop();
    throw error;
  }
  return { name, urlOf, drop };
}

/** The platform's topology in one request of the management API. */
function definitions(): object {
  const { exchanges, queues, bindings } = rabbitTopology();
  const kept = { durable: true, auto_delete: false, arguments: {} };
  return {
    exchanges: exchanges.map((exchange) => ({ ...kept, internal: false, ...exchange })),
    queues: queues.map((queue) => ({ ...kept, ...queue })),
    bindings: bindings.map(({ exchange, queue, routingKey }) => ({
      source: exchange,
      destination: queue,
      destination_type: 'queue',
      routing_key: routingKey,
      arguments: {},
    })),
  };
}
