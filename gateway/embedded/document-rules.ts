import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  ConfigurationFault,
  entityName,
  flag,
  headerText,
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

/** A plugin as the file names it; what its configuration may be is the plugin's own to say. */
export interface PluginEntry {
  name: string;
  config: unknown;
}
const plugin = object<PluginEntry>({ name: text, config: (value) => value });

const rsaPublicKey: Rule<KeyObject> = (value, where) => {
  try {
    const key = createPublicKey(text(value, where));
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch {
    // Said below.
  }
  throw new ConfigurationFault(`${where} is not an RSA public key in PEM form.`);
};

const hostAndPort: Rule<string> = (value, where) => {
  const target = text(value, where);
  if (!/^[A-Za-z0-9.-]+:\d{1,5}$/.test(target)) throw new ConfigurationFault(`${where} must be host:port.`);
  return target;
};

const consumer = object({
  username: headerText,
  custom_id: optional(headerText),
  jwt_secrets: list(object({ key: headerText, algorithm: oneOf('RS256'), rsa_public_key: rsaPublicKey })),
});

const route = object({
  name: entityName,
  paths: list(text),
  methods: list(oneOf('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')),
  strip_path: oneOf(false),
  regex_priority: otherwise(integer(0, 1000), 0),
  request_buffering: otherwise(flag, true),
  response_buffering: otherwise(flag, true),
  plugins: list(plugin),
});

const milliseconds = otherwise(integer(1, 3_600_000), 60_000);
const service = object({
  name: entityName,
  host: entityName,
  protocol: otherwise(oneOf('http'), 'http'),
  retries: otherwise(integer(0, 100), 5),
  connect_timeout: milliseconds,
  write_timeout: milliseconds,
  read_timeout: milliseconds,
  routes: list(route),
  plugins: list(plugin),
});

const upstream = object({
  name: entityName,
  healthchecks: healthRules,
  targets: list(object({ target: hostAndPort, weight: otherwise(integer(1, 65_535), 100) })),
});

/** Every field of kong.yml that this gateway does exactly as Kong does; Kong's defaults where one is absent. */
export const kongDocument = object({
  _format_version: oneOf('3.0'),
  _transform: otherwise(oneOf(true), true),
  _comment: optional(text),
  consumers: list(consumer),
  services: list(service),
  upstreams: list(upstream),
  plugins: list(plugin),
});
