import { ConfigurationFault } from '../field-rules';
import { correlationId } from './correlation-id';
import { cors } from './cors';
import { jwt } from './jwt';
import { opentelemetry } from './opentelemetry';
import { bind } from './plugin';
import type { BoundPlugin, Plugin } from './plugin';
import { preFunction } from './pre-function';
import { prometheus } from './prometheus';
import { rateLimiting } from './rate-limiting';
import { requestSizeLimiting } from './request-size-limiting';

const known = new Map<string, (value: unknown, where: string) => BoundPlugin>();

function register<C>(plugin: Plugin<C>): void {
  known.set(plugin.name, (value, where) => bind(plugin, value, where));
}

register(preFunction);
register(correlationId);
register(cors);
register(jwt);
register(requestSizeLimiting);
register(rateLimiting);
register(opentelemetry);
register(prometheus);

/** Refuses every plugin that this gateway cannot do exactly. */
export function bindPlugin(name: string, config: unknown, where: string): BoundPlugin {
  const binder = known.get(name);
  if (binder === undefined)
    throw new ConfigurationFault(`${where} names the plugin "${name}", which this gateway does not know.`);
  return binder(config, `${where}.config`);
}
