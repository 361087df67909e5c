import { randomUUID } from 'node:crypto';
import { rabbitTopology } from '@sociograph/contracts';
import { testServers } from '@sociograph/testing';

/** A virtual host of its own with the platform's topology, so that no other process takes this spec's calls. */
export async function scratchBroker(): Promise<{ url: string; drop(): Promise<void> }> {
  const servers = testServers();
  const management = servers.rabbitmqManagementUrl;
  if (management === undefined) throw new Error('RABBITMQ_MANAGEMENT_URL is not set');
  const { username, password, origin } = new URL(management);
  const authorization = `Basic ${Buffer.from(`${username}:${decodeURIComponent(password)}`).toString('base64')}`;
  const api = async (method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await fetch(`${origin}/api${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok)
      throw new Error(`RabbitMQ answered ${answer.status} to ${method} ${path}: ${await answer.text()}`);
  };
  const vhost = `spec-${randomUUID()}`;
  const url = new URL(servers.of('parser-service', 'RABBITMQ_URL'));
  url.pathname = `/${vhost}`;
  const all = { configure: '.*', write: '.*', read: '.*' };
  await api('PUT', `/vhosts/${vhost}`, {});
  await api('PUT', `/permissions/${vhost}/${username}`, all);
  await api('PUT', `/permissions/${vhost}/${url.username}`, all);
  const { exchanges, queues, bindings } = rabbitTopology();
  for (const { name, type } of exchanges)
    await api('PUT', `/exchanges/${vhost}/${name}`, { type, durable: true });
  for (const { name, ...queue } of queues) await api('PUT', `/queues/${vhost}/${name}`, queue);
  for (const { exchange, queue, routingKey } of bindings) {
    await api('POST', `/bindings/${vhost}/e/${exchange}/q/${queue}`, { routing_key: routingKey });
  }
  return { url: url.href, drop: () => api('DELETE', `/vhosts/${vhost}`) };
}
