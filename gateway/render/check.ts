import { readConfiguration } from '../embedded/configuration';
import { Router } from '../embedded/router';
import type { Endpoint } from './endpoints';
import { renderKong, TARGETS } from './render';

/**
 * What is wrong with a kong.yml, as sentences: it differs from what would be rendered, the gateway does not
 * understand it, or an endpoint's request would not reach its service. The last is found by routing, not by reading.
 */
export function faultsOf(kongYml: string, endpoints: readonly Endpoint[]): string[] {
  const faults: string[] = [];
  if (kongYml !== renderKong(endpoints))
    faults.push('gateway/kong.yml is not what the OpenAPI documents give: render it again.');
  const configuration = readConfiguration(kongYml);
  const router = new Router(configuration.routes);
  for (const { service, path, method, isPublic } of endpoints) {
    const route = router.match(method, path.replace(/\{[^}]+\}/g, 'x-1'));
    if (route === undefined) {
      faults.push(`${method} ${path} of ${service} has no route.`);
      continue;
    }
    const targets = configuration.upstreams.get(route.service.upstream);
    if (TARGETS[service] === undefined || targets?.includes(TARGETS[service]) !== true) {
      faults.push(`${method} ${path} of ${service} is routed to ${route.service.upstream}.`);
    }
    const names = new Set(route.plugins.map((plugin) => plugin.name));
    if (!names.has('rate-limiting') || !names.has('request-size-limiting'))
      faults.push(`${method} ${path} has no limit.`);
    if (names.has('jwt') === isPublic)
      faults.push(
        `${method} ${path} is ${isPublic ? 'public and asks for' : 'not public and needs no'} token.`,
      );
  }
  for (const { name, service } of configuration.routes) {
    const known = endpoints.some((endpoint) => `${endpoint.service}.upstream` === service.upstream);
    if (!known) faults.push(`The route ${name} leads to ${service.upstream}, which offers nothing.`);
  }
  return faults;
}
