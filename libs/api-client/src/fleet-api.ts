/** The public API as the demo uses it: through the gateway, with a token of the demo's own client. */
export interface FleetAddresses {
  gatewayUrl: string;
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  simulatorUrl: string;
}

export interface ImportView {
  id: string;
  state: 'running' | 'paused' | 'settling' | 'completed' | 'cancelled' | 'failed';
  counters: {
    people: { known: number; done: number };
    lists: { known: number; done: number };
    calls: { made: number };
    friendshipObservations: number;
  };
  frontierClosed: boolean;
  positions?: string;
}

export interface SummaryView {
  users: number;
  friendships: number;
  triangles: number;
  averageClustering: number;
  transitivity: number;
  closedTriangleFraction: number;
  components: { count: number; largest: number };
}

/** What an import expected, what it got, and why something is missing. */
export interface CertificateView {
  final: boolean;
  expected: { people: number; lists: number };
  got: { people: number; lists: number };
  open: { people: number; lists: number };
  gaps: { what: 'person' | 'list'; cause: string; count: number; people: string[] }[];
}

/** What the VK simulator counted; `seconds` lie between the first and the last call that it served. */
export interface SimulatorStats {
  totals: { served: number; refused: number; overBudget: number; seconds: number };
}

/** Tokens live 5 minutes; a new one is fetched when less than this is left. */
const RENEW_BEFORE_MS = 60_000;
/** A killed process is back within 10 s, a restarted server within 20. */
const PATIENCE_MS = 30_000;

export class FleetApi {
  private token = '';
  private tokenUntil = 0;

  constructor(private readonly at: FleetAddresses) {}

  /** Repeated while the fleet is away for a moment; nothing else is, because only reading may be done twice. */
  async get<T>(path: string): Promise<T> {
    return patiently(() => this.call<T>('GET', path));
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    return this.call<T>('POST', path, body);
  }

  async simulator<T>(path: string): Promise<T> {
    return patiently(async () => answerOf<T>(await fetch(this.at.simulatorUrl + path), path));
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${await this.validToken()}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const request: RequestInit = { method, headers, signal: AbortSignal.timeout(15_000) };
    if (body !== undefined) request.body = JSON.stringify(body);
    return answerOf<T>(await fetch(this.at.gatewayUrl + path, request), `${method} ${path}`);
  }

  private async validToken(): Promise<string> {
    if (Date.now() < this.tokenUntil - RENEW_BEFORE_MS) return this.token;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: this.at.clientId,
      client_secret: this.at.clientSecret,
    });
    const answer = await answerOf<{ access_token: string; expires_in: number }>(
      await fetch(this.at.tokenUrl, { method: 'POST', body: form }),
      'the token endpoint',
    );
    this.token = answer.access_token;
    this.tokenUntil = Date.now() + answer.expires_in * 1000;
    return this.token;
  }
}

/** Repeats what failed by the connection or by 502, 503, 504, every 300 ms, for at most 30 s. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const passing = !(error instanceof UnexpectedAnswer) || [502, 503, 504].includes(error.status);
      if (!passing || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

/** An answer that was not 2xx, with its status and body. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';

  constructor(
    readonly status: number,
    what: string,
    body: string,
  ) {
    super(`${what} answered ${status}: ${body.slice(0, 500)}`);
  }
}

async function answerOf<T>(response: Response, what: string): Promise<T> {
  const text = await response.text();
  if (!response.ok) throw new UnexpectedAnswer(response.status, what, text);
  return JSON.parse(text) as T;
}
