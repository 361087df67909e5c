import { Agent, request } from 'node:http';
import { Secret } from '@sociograph/kernel';
import {
  type CallFindings,
  KeyPool,
  type Lease,
  type LeaseRequest,
  type LeaseVerdict,
  type NetworkRequest,
  type SendOutcome,
} from '../src/domain/ports';

interface SpacedLease extends Lease {
  readonly token: Secret;
  readonly at: number;
}

/**
 * A pool without a server: each token has a slot every `spacingMs`, the earliest one is granted at once. What
 * key-service does beyond that (limits, faults of keys, settling) is not its business.
 */
export class SpacedKeyPool extends KeyPool {
  private readonly next: number[];
  private readonly agent = new Agent({ keepAlive: true, noDelay: true });
  private leases = 0;
  readonly findings: CallFindings[] = [];

  constructor(
    private readonly baseUrl: string,
    private readonly tokens: readonly string[],
    private readonly spacingMs: number,
  ) {
    super();
    this.next = tokens.map((_, index) => performance.now() + (index * spacingMs) / tokens.length);
  }

  async acquire({ timeoutMs }: LeaseRequest): Promise<LeaseVerdict> {
    const now = performance.now();
    const earliest = this.next.indexOf(Math.min(...this.next));
    const at = Math.max(now + 10, this.next[earliest] ?? now);
    if (at - now > timeoutMs) return { kind: 'denied', reason: 'no-slot', retryInMs: 500 };
    this.next[earliest] = at + this.spacingMs;
    this.leases += 1;
    const lease: SpacedLease = {
      leaseId: `lease-${this.leases}`,
      keyId: `key-${earliest}`,
      fence: this.leases,
      token: new Secret(this.tokens[earliest] ?? ''),
      at,
    };
    return { kind: 'granted', lease };
  }

  async send(lease: Lease, authorize: (token: Secret) => NetworkRequest): Promise<SendOutcome> {
    const { at, token } = lease as SpacedLease;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())));
    const { path, headers, body, timeoutMs } = authorize(token);
    const observedAt = Date.now();
    return new Promise((resolve) => {
      const sent = request(
        `${this.baseUrl}${path}`,
        {
          method: 'POST',
          agent: this.agent,
          timeout: timeoutMs,
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({
              kind: 'answered',
              observedAt,
              status: response.statusCode ?? 0,
              body: Buffer.concat(chunks).toString('utf8'),
            }),
          );
        },
      );
      sent.on('timeout', () => sent.destroy(new Error('timeout')));
      sent.on('error', (error) => resolve({ kind: 'broken', cause: error.message }));
      sent.end(body);
    });
  }

  async settle(_lease: Lease, _outcome: SendOutcome, findings: CallFindings): Promise<void> {
    this.findings.push(findings);
  }

  async callsPerSecond(): Promise<number> {
    return (this.tokens.length * 1_000) / this.spacingMs;
  }

  close(): void {
    this.agent.destroy();
  }
}
