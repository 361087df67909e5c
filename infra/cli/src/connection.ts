import { readFileSync } from 'node:fs';
import { Api, clientCredentials, OidcClient, type TokenSource } from '@sociograph/api-client';
import type { Arguments } from './arguments';
import { NotLoggedIn, UsageError } from './failures';
import { SessionFile, sessionPath } from './session-file';
import { sessionTokens } from './session-tokens';
import type { Terminal } from './terminal';

export interface Addresses {
  url: string;
  issuer: string;
}

export interface ServiceClient {
  clientId: string;
  clientSecret: string;
}

/** The public client of this program in the realm. */
const CLIENT_ID = 'sociograph-cli';
/** A person waits: a fleet that is away is reported after this. */
const PATIENCE_MS = 5_000;

/**
 * Which fleet, and as whom. Addresses: option, environment, stored login, the stack that runs in this clone. Identity:
 * the environment's service account, the stored login, the service account of the stack in this clone.
 */
export class Connection {
  readonly file: SessionFile;
  private readonly stack: Readonly<Record<string, string>>;

  constructor(
    private readonly args: Arguments,
    private readonly terminal: Terminal,
  ) {
    const { env } = terminal;
    this.file = new SessionFile(
      sessionPath(env, args.text('profile') ?? (env['SOCIOGRAPH_PROFILE'] || 'default')),
    );
    this.stack = stackIn(env['SOCIOGRAPH_STACK_ENV']);
  }

  get clientId(): string {
    return CLIENT_ID;
  }

  /** `stored` is what a login remembered; throws a UsageError when nothing names one of them. */
  addresses(stored: Partial<Addresses> = {}): Addresses {
    const { env } = this.terminal;
    const pick = (option: 'url' | 'issuer', variable: string, known: string | undefined): string => {
      const value = this.args.text(option) ?? (env[variable] || (stored[option] ?? known));
      if (value === undefined) throw new UsageError(`--${option} or ${variable} is needed`);
      return safeUrl(value, `--${option}`, env);
    };
    return {
      url: pick('url', 'SOCIOGRAPH_URL', this.stack['GATEWAY_URL']),
      issuer: pick('issuer', 'SOCIOGRAPH_ISSUER', this.stack['OIDC_ISSUER']),
    };
  }

  /** The service account that the environment names; undefined when it names none. */
  givenClient(): ServiceClient | undefined {
    const { SOCIOGRAPH_CLIENT_ID: clientId, SOCIOGRAPH_CLIENT_SECRET: clientSecret } = this.terminal.env;
    if (!clientId && !clientSecret) return undefined;
    if (!clientId || !clientSecret)
      throw new UsageError('SOCIOGRAPH_CLIENT_ID and SOCIOGRAPH_CLIENT_SECRET are needed together');
    return { clientId, clientSecret };
  }

  /** The service account of the stack in this clone; undefined when none runs here. */
  stackClient(): ServiceClient | undefined {
    const { DEMO_CLIENT_ID: clientId, DEMO_CLIENT_SECRET: clientSecret } = this.stack;
    return clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret };
  }

  /** Where and with which tokens; throws NotLoggedIn when nobody is. */
  async identity(): Promise<{ url: string; tokens: TokenSource; via: string }> {
    const given = this.givenClient();
    if (given !== undefined) return this.asClient(given, 'environment');
    const session = this.file.read();
    if (session !== undefined) {
      // Tokens go nowhere but to the fleet that they were given for.
      const { url, issuer } = this.addresses(session);
      if (url !== session.url || issuer !== session.issuer)
        throw new NotLoggedIn(`You are logged in to ${session.url}, not to ${url}: use another --profile.`);
      return { url, tokens: sessionTokens(this.file, session, this.terminal.signal), via: 'login' };
    }
    const stack = this.stackClient();
    if (stack !== undefined) return this.asClient(stack, 'stack');
    throw new NotLoggedIn('You are not logged in: "sociograph login" logs you in.');
  }

  async api({ patienceMs = PATIENCE_MS }: { patienceMs?: number } = {}): Promise<Api> {
    const { url, tokens } = await this.identity();
    return new Api({ gatewayUrl: url, tokens, patienceMs, signal: this.terminal.signal });
  }

  private async asClient(
    client: ServiceClient,
    via: string,
  ): Promise<{ url: string; tokens: TokenSource; via: string }> {
    const { url, issuer } = this.addresses();
    const { tokenUrl } = await OidcClient.discover(issuer, client.clientId);
    return { url, tokens: clientCredentials({ tokenUrl, ...client }), via };
  }
}

/** Tokens cross no network in the clear: plain HTTP is for this machine, unless it was allowed. */
function safeUrl(text: string, option: string, env: Terminal['env']): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UsageError(`${option} takes a URL, not "${text}"`);
  }
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  const allowed = loopback || env['SOCIOGRAPH_ALLOW_INSECURE'] === 'true';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowed))
    throw new UsageError(`${option} must be https (http only on this machine)`);
  if (url.username !== '' || url.password !== '') throw new UsageError(`${option} must hold no password`);
  return text.replace(/\/+$/, '');
}

/** What bootstrap.mjs points at when a stack runs in this clone: the file of its addresses and accounts. */
function stackIn(file: string | undefined): Readonly<Record<string, string>> {
  if (file === undefined || file === '') return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
}
