import { createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { parse as parseYaml } from 'yaml';
import type { Consumer } from './exchange';
import {
  ConfigurationFault,
  flag,
  integer,
  list,
  object,
  oneOf,
  optional,
  otherwise,
  text,
} from './field-rules';
import type { Rule } from './field-rules';
import { healthRules } from './target-health';
import type { HealthRules } from './target-health';
import { bindPlugin } from './plugins/known-plugins';
import type { BoundPlugin } from './plugins/plugin';

interface PluginEntry {
  name: string;
  config: unknown;
}
const plugin = object<PluginEntry>({ name: text, config: (value) => value });

const routeRule = object({
  name: text,
  paths: list(text),
  methods: list(oneOf('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')),
  strip_path: oneOf(false),
  regex_priority: otherwise(integer(0, 1000), 0),
  request_buffering: otherwise(flag, true),
  response_buffering: otherwise(flag, true),
  plugins: list(plugin),
});
const milliseconds = otherwise(integer(1, 3_600_000), 60_000);
const serviceRule = object({
  name: text,
  host: text,
  protocol: otherwise(oneOf('http'), 'http'),
  retries: otherwise(integer(0, 100), 5),
  connect_timeout: milliseconds,
  write_timeout: milliseconds,
  read_timeout: milliseconds,
  routes: list(routeRule),
  plugins: list(plugin),
});
const documentRule = object({
  _format_version: oneOf('3.0'),
  _transform: otherwise(oneOf(true), true),
  _comment: optional(text),
  consumers: list(
    object({
      username: text,
      custom_id: optional(text),
      jwt_secrets: list(object({ key: text, algorithm: oneOf('RS256'), rsa_public_key: rsaPublicKey() })),
    }),
  ),
  services: list(serviceRule),
  upstreams: list(
    object({
      name: text,
      healthchecks: healthRules,
      targets: list(object({ target: hostAndPort(), weight: otherwise(integer(1, 65_535), 100) })),
    }),
  ),
  plugins: list(plugin),
});

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

export interface Credential {
  key: string;
  algorithm: string;
  publicKey: KeyObject;
  consumer: Consumer;
}

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
  const document = documentRule(parsed, 'configuration');
  // Kong accepts a file with only a version and then answers 404 to everything.
  if (!document.services.some((service) => service.routes.length > 0)) {
    throw new ConfigurationFault('The configuration has no route.');
  }
  const upstreams = new Map<string, string[]>();
  for (const { name, targets } of document.upstreams) {
    unique(upstreams, name, 'upstream');
    if (targets.length === 0) throw new ConfigurationFault(`The upstream "${name}" has no target.`);
    upstreams.set(
      name,
      targets.flatMap(({ target, weight }) => Array.from({ length: Math.ceil(weight / 100) }, () => target)),
    );
  }
  const healthChecks = new Map(document.upstreams.map(({ name, healthchecks }) => [name, healthchecks]));
  const globals = bound(document.plugins, 'configuration.plugins');
  const services = new Map<string, unknown>();
  const routeNames = new Map<string, unknown>();
  const routes = document.services.flatMap((entry, position) => {
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
    const ofService = bound(entry.plugins, `configuration.services[${position}].plugins`);
    return entry.routes.map((route, at): Route => {
      const where = `configuration.services[${position}].routes[${at}]`;
      unique(routeNames, route.name, 'route');
      routeNames.set(route.name, route);
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
  const credentials = new Map<string, Credential>();
  for (const consumer of document.consumers) {
    for (const secret of consumer.jwt_secrets) {
      unique(credentials, secret.key, "'jwt_secrets' key");
      credentials.set(secret.key, {
        key: secret.key,
        algorithm: secret.algorithm,
        publicKey: secret.rsa_public_key,
        consumer: {
          id: derivedId(`consumers:${consumer.username}`),
          username: consumer.username,
          customId: consumer.custom_id,
          credential: secret.key,
        },
      });
    }
  }
  return {
    routes,
    upstreams,
    healthChecks,
    credentials,
    globalPlugins: merged(globals),
    hash: createHash('md5').update(JSON.stringify(parsed)).digest('hex'),
  };
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

function rsaPublicKey(): Rule<KeyObject> {
  return (value, where) => {
    try {
      const key = createPublicKey(text(value, where));
      if (key.asymmetricKeyType === 'rsa') return key;
    } catch {
      // Said below.
    }
    throw new ConfigurationFault(`${where} is not an RSA public key in PEM form.`);
  };
}

function hostAndPort(): Rule<string> {
  return (value, where) => {
    const target = text(value, where);
    if (!/^[A-Za-z0-9.-]+:\d{1,5}$/.test(target)) throw new ConfigurationFault(`${where} must be host:port.`);
    return target;
  };
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
