import { demoToken, workspaceOf } from '@sociograph/testing';
import type { ServerEnvironment } from './servers';

export interface KeyToRegister {
  token: string;
  kind: string;
  label?: string;
  /** As the API takes them: `{ perSecond: 20 }`. */
  limits?: object;
}

export interface RegisteredKeys {
  workspaceId: string;
  /** Ids in the pool, in the order given. */
  ids: string[];
}

const AT_ONCE = 10;

/** Registers keys over REST as the demo's service account, in its workspace. */
export async function registerKeys(
  env: ServerEnvironment,
  serviceUrl: string,
  keys: readonly KeyToRegister[],
): Promise<RegisteredKeys> {
  const token = await demoToken(env);
  const ids: string[] = [];
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    const batch = keys.slice(from, from + AT_ONCE);
    ids.push(...(await Promise.all(batch.map((key) => register(serviceUrl, token, key)))));
  }
  return { workspaceId: workspaceOf(token), ids };
}

async function register(serviceUrl: string, token: string, key: KeyToRegister): Promise<string> {
  const response = await fetch(`${serviceUrl}/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ network: 'vk', ...key, consent: { givenBy: 'the simulator' } }),
  });
  if (response.status !== 201)
    throw new Error(`key-service answered ${response.status} to a new key: ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}
