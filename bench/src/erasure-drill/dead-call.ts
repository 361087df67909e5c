import { randomUUID } from 'node:crypto';
import { callQueue, callRequested, deadQueue, messageType, VHOST } from '@sociograph/contracts';
import { askRabbit, inPostgres, withPath } from '@sociograph/testing';
import { needed, type ServerEnvironment } from '../fleet/servers';

/** A call that asked for the person lies in the dead queue, as if it had been given up. */
export async function buryCallOf(env: ServerEnvironment, person: string): Promise<void> {
  const { rows } = await inPostgres(withPath(needed(env, 'ADMIN_DATABASE_URL'), 'parser_service'), (client) =>
    client.query<{ id: string; import_id: string; workspace_id: string }>(
      'SELECT id, import_id, workspace_id FROM calls WHERE people @> ARRAY[$1] LIMIT 1',
      [person],
    ),
  );
  const [call] = rows;
  if (call === undefined) throw new Error('no call of the imports asked for the person');
  const payload = callRequested.schema.parse({
    ...{ callId: call.id, importId: call.import_id, workspaceId: call.workspace_id, network: 'vk' },
  });
  await askRabbit(
    needed(env, 'RABBITMQ_MANAGEMENT_URL'),
    'POST',
    `exchanges/${encodeURIComponent(VHOST)}/amq.default/publish`,
    {
      properties: {
        ...{ delivery_mode: 2, message_id: randomUUID(), type: messageType(callRequested) },
        content_type: 'application/json',
      },
      ...{
        routing_key: deadQueue(callQueue('vk')),
        payload: JSON.stringify(payload),
        payload_encoding: 'string',
      },
    },
  );
}

/** Rows that say that the parser's files still have to be written anew. */
export async function filesToRewrite(env: ServerEnvironment): Promise<number> {
  const url = withPath(needed(env, 'ADMIN_DATABASE_URL'), 'parser_service');
  const { rowCount } = await inPostgres(url, (client) => client.query('SELECT FROM files_to_rewrite'));
  return rowCount ?? 0;
}

export async function checkpoint(env: ServerEnvironment): Promise<void> {
  await inPostgres(needed(env, 'ADMIN_DATABASE_URL'), (client) => client.query('CHECKPOINT'));
}
