export interface Asked {
  body?: unknown;
  /** In place of JSON. */
  type?: string;
  role?: string;
  token?: string;
}

/** Asks the API through the gateway with one of several tokens; throws what is not 2xx. */
export class Caller {
  constructor(
    private readonly gatewayUrl: string,
    private readonly tokens: Readonly<Record<string, string>>,
  ) {}

  async ask<T = { id: string }>(method: string, path: string, asked: Asked = {}): Promise<T> {
    const { body, type = 'application/json', role = 'admin', token = this.tokens[role] } = asked;
    const response = await fetch(this.gatewayUrl + path, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': type }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`);
    return (
      text === '' || response.headers.get('content-type')?.includes('ndjson') ? undefined : JSON.parse(text)
    ) as T;
  }

  /** Reads until `wanted` says so. */
  async until<T>(path: string, wanted: (answer: T) => boolean, timeoutMs = 300_000): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const answer = await this.ask<T>('GET', path);
      if (wanted(answer)) return answer;
      if (performance.now() > deadline) throw new Error(`${path} is still ${JSON.stringify(answer)}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
