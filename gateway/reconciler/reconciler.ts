import { parse } from 'yaml';
import { signingKeys } from './signing-keys';
import type { SigningKey } from './signing-keys';

export interface ReconcilerPorts {
  fetchJson(url: string): Promise<unknown>;
  postJson(url: string, body: string): Promise<number>;
  /** The rendered kong.yml, without keys. */
  readTemplate(): string;
  log(sentence: string, fields: object): void;
}

interface Document {
  consumers?: Array<Record<string, unknown>>;
}

/**
 * Keeps the gateways' signing keys those of Keycloak. A gateway that started afresh has none and gets them at the
 * next check. An empty or failed fetch changes nothing: no key set is ever emptied.
 */
export class Reconciler {
  private keys: SigningKey[] = [];
  private template = '';
  /** The document as of `made.from`: parsing the template takes 20 ms, once a second that was 3 % of a core. */
  private made = { from: '', document: '' };
  private failures = 0;
  /** What each gateway was last given; absent = unknown. */
  private readonly given = new Map<string, string>();

  constructor(
    private readonly jwksUrl: string,
    private readonly adminUrls: readonly string[],
    private readonly ports: ReconcilerPorts,
  ) {}

  get hasKeys(): boolean {
    return this.keys.length > 0;
  }

  /** Gateways that have the present keys, as of the last check. */
  get complete(): boolean {
    return this.hasKeys && this.given.size === this.adminUrls.length;
  }

  /** For `/metrics`. */
  get metrics(): string {
    return [
      '# HELP gateway_signing_keys Keys that the gateways are given; 0 = nobody gets in',
      '# TYPE gateway_signing_keys gauge',
      `gateway_signing_keys ${this.keys.length}`,
      '# HELP gateway_key_set_failures_total Fetches of the key set that failed or held no usable key',
      '# TYPE gateway_key_set_failures_total counter',
      `gateway_key_set_failures_total ${this.failures}`,
      '# HELP gateways_complete Gateways that have the present keys',
      '# TYPE gateways_complete gauge',
      `gateways_complete ${this.given.size}`,
      '',
    ].join('\n');
  }

  /** True when a usable key set was fetched. */
  async fetchKeys(): Promise<boolean> {
    try {
      const keys = signingKeys(await this.ports.fetchJson(this.jwksUrl));
      if (keys.length === 0) {
        this.failures += 1;
        this.ports.log('The key set holds no RS256 signing key; the last one stays', { url: this.jwksUrl });
        return false;
      }
      if (JSON.stringify(keys) !== JSON.stringify(this.keys)) {
        this.ports.log('Signing keys have changed', { keys: keys.map(({ key }) => key) });
      }
      this.keys = keys;
      return true;
    } catch (error) {
      this.failures += 1;
      this.ports.log('The key set could not be fetched; the last one stays', {
        cause: (error as Error).message,
      });
      return false;
    }
  }

  /** Gives every gateway what it lacks. */
  async reconcile(): Promise<void> {
    if (!this.hasKeys) return;
    try {
      this.template = this.ports.readTemplate();
    } catch (error) {
      this.ports.log('kong.yml could not be read; the last one stays', { cause: (error as Error).message });
    }
    if (this.template === '') return;
    const wanted = this.document();
    await Promise.all(this.adminUrls.map((url) => this.reconcileOne(url, wanted)));
  }

  private async reconcileOne(url: string, wanted: string): Promise<void> {
    try {
      const installed = (await this.ports.fetchJson(`${url}/jwts`)) as { data: Array<{ key: string }> };
      const kids = installed.data.map(({ key }) => key).sort();
      const complete = JSON.stringify(kids) === JSON.stringify(this.keys.map(({ key }) => key).sort());
      if (complete && this.given.get(url) === wanted) return;
      const status = await this.ports.postJson(`${url}/config`, wanted);
      if (status !== 201) {
        this.given.delete(url);
        this.ports.log('A gateway refused its configuration', { url, status });
        return;
      }
      this.given.set(url, wanted);
      this.ports.log('A gateway has the signing keys', { url, keys: this.keys.length });
    } catch (error) {
      // Starting or stopping: asked again at the next check.
      if (this.given.delete(url))
        this.ports.log('A gateway does not answer', { url, cause: (error as Error).message });
    }
  }

  private document(): string {
    const from = JSON.stringify(this.keys) + this.template;
    if (this.made.from !== from) this.made = { from, document: this.compose() };
    return this.made.document;
  }

  private compose(): string {
    const document = parse(this.template) as Document;
    const [consumer, ...others] = document.consumers ?? [];
    if (consumer === undefined) throw new Error('kong.yml has no consumer to hold the signing keys.');
    return JSON.stringify({ ...document, consumers: [{ ...consumer, jwt_secrets: this.keys }, ...others] });
  }
}
