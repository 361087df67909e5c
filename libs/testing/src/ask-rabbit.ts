/**
 * One request to RabbitMQ's management API as the account in `managementUrl`; `path` is what follows `/api/`, its parts
 * percent-encoded. Answers the body, undefined where there is none. Throws with method, path, status and the broker's
 * reason when it is refused.
 */
export async function askRabbit<T = unknown>(
  managementUrl: string,
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<T | undefined> {
  const { origin, username, password } = new URL(managementUrl);
  const account = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const response = await fetch(`${origin}/api/${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(account).toString('base64')}`,
      'content-type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`RabbitMQ refused ${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : (JSON.parse(text) as T);
}
