import { createHash } from 'node:crypto';
import { parse as parseYaml } from 'yaml';
import { kongDocument } from './document-rules';
import type { PluginEntry } from './document-rules';
import type { Credential } from './exchange';
import { ConfigurationFault } from './field-rules';
import { bindPlugin } from './plugins/known-plugins';
import type { BoundPlugin } from './plugins/plugin';
import type { HealthRules } from './target-health';

/** A kong.yml, understood to its last field. */
export interface Configuration {
  routes: Route[];
  /** Targets by name of upstream, each as often as its weight (in hundreds) says. */
  upstreams: ReadonlyMap<string, string[]>;
  /** By name of upstream. */
  healthChecks: ReadonlyMap<string, HealthRules>;
  credentials: ReadonlyMap<string, Credential>;
  /** Run their answer phase where no route matched. */
  globalPlugins: BoundPlugin[];
  /** Changes with the document. */
  hash: string;
}

export interface Route {
  id: string;
  name: string;
  paths: string[];
  /** Empty = every method. */
  methods: ReadonlySet<string>;
  regexPriority: number;
  requestBuffering: boolean;
  service: Service;
  /** In the order in which they run. */
  plugins: BoundPlugin[];
}

export interface Service {
  name: string;
  upstream: string;
  retries: number;
  connectTimeoutMs: number;
  writeTimeoutMs: number;
  readTimeoutMs: number;
}

type Document = ReturnType<typeof kongDocument>;

/** Reads YAML or JSON. Throws ConfigurationFault for anything that this gateway would not do as Kong does. */
export function readConfiguration(source: string): Configuration {
  let parsed: unknown;
  try {
    parsed = parseYaml(source);
  } catch (error) {
    throw new ConfigurationFault(
      `The configuration is not YAML: ${(error as Error).message.split('\n', 1)[0]}`,
    );
  }
  return configurationOf(parsed);
}

/** The same of what YAML or JSON held. */
export function configurationOf(parsed: unknown): Configuration {
  const document = kongDocument(parsed, 'configuration');
  // Kong accepts a file with only a version and then answers 404 to everything.
  if (!document.services.some((service) => service.routes.length > 0))
    throw new ConfigurationFault('The configuration has no route.');
  const upstreams = targetsOf(document);
  const globals = bound(document.plugins, 'configuration.plugins');
  return {
    routes: routesOf(document, upstreams, globals),
    upstreams,
    healthChecks: new Map(document.upstreams.map(({ name, healthchecks }) => [name, healthchecks])),
    credentials: credentialsOf(document),
    globalPlugins: merged(globals),
    hash: createHash('md5').update(JSON.stringify(parsed)).digest('hex'),
  };
}

function targetsOf(document: Document): Map<string, string[]> {
  const upstreams = new Map<string, string[]>();
  for (const { name, targets } of document.upstreams) {
    unique(upstreams, name, 'upstream');
    if (targets.length === 0) throw new ConfigurationFault(`The upstream "${name}" has no target.`);
    upstreams.set(
      name,
      targets.flatMap(({ target, weight }) => Array.from({ length: Math.ceil(weight / 100) }, () => target)),
    );
  }
  return upstreams;
}

function routesOf(
  document: Document,
  upstreams: ReadonlyMap<string, string[]>,
  globals: Map<string, BoundPlugin>,
): Route[] {
  const services = new Map<string, unknown>();
  const names = new Map<string, unknown>();
  return document.services.flatMap((entry, position) => {
    const place = `configuration.services[${position}]`;
    unique(services, entry.name, 'service');
    services.set(entry.name, entry);
    if (!upstreams.has(entry.host)) {
      throw new ConfigurationFault(
        `The service "${entry.name}" has the host "${entry.host}", which is no upstream of this file.`,
      );
    }
    const service: Service = {
      name: entry.name,
      upstream: entry.host,
      retries: entry.retries,
      connectTimeoutMs: entry.connect_timeout,
      writeTimeoutMs: entry.write_timeout,
      readTimeoutMs: entry.read_timeout,
    };
    const ofService = bound(entry.plugins, `${place}.plugins`);
    return entry.routes.map((route, at): Route => {
      const where = `${place}.routes[${at}]`;
      unique(names, route.name, 'route');
      names.set(route.name, route);
      if (route.paths.length === 0) throw new ConfigurationFault(`${where}.paths must not be empty.`);
      return {
        id: derivedId(`routes:${route.name}`),
        name: route.name,
        paths: route.paths,
        methods: new Set(route.methods),
        regexPriority: route.regex_priority,
        requestBuffering: route.request_buffering,
        service,
        plugins: merged(globals, ofService, bound(route.plugins, `${where}.plugins`)),
      };
    });
  });
}

function credentialsOf(document: Document): Map<string, Credential> {
  const credentials = new Map<string, Credential>();
  for (const { username, custom_id: customId, jwt_secrets: secrets } of document.consumers) {
    const consumer = { id: derivedId(`consumers:${username}`), username, customId };
    for (const { key, algorithm, rsa_public_key: publicKey } of secrets) {
      unique(credentials, key, "'jwt_secrets' key");
      credentials.set(key, { key, algorithm, publicKey, consumer });
    }
  }
  return credentials;
}

function bound(entries: PluginEntry[], where: string): Map<string, BoundPlugin> {
  const plugins = new Map<string, BoundPlugin>();
  entries.forEach(({ name, config }, at) => {
    unique(plugins, name, `plugin of ${where}`);
    plugins.set(name, bindPlugin(name, config, `${where}[${at}]`));
  });
  return plugins;
}

/** A plugin runs once per request: the one of the narrowest scope. */
function merged(...scopes: Array<Map<string, BoundPlugin>>): BoundPlugin[] {
  const plugins = new Map<string, BoundPlugin>();
  for (const scope of scopes) for (const [name, entry] of scope) plugins.set(name, entry);
  return [...plugins.values()].sort((a, b) => b.priority - a.priority);
}

function unique(known: ReadonlyMap<string, unknown>, name: string, what: string): void {
  if (known.has(name)) throw new ConfigurationFault(`The ${what} "${name}" is declared twice.`);
}

/** Stable across restarts, as Kong's ids of a declarative file are; the values are this gateway's own. */
function derivedId(name: string): string {
  const hash = createHash('sha1').update(`sociograph-gateway:${name}`).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
