import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One operation of a service's OpenAPI document, as far as the gateway must know it. */
export interface Endpoint {
  service: string;
  /** As OpenAPI writes it: `/v1/keys/{id}`. */
  path: string;
  method: string;
  /** `x-access: public` (what @Public of libs/auth writes) or `security: []`: no token. */
  isPublic: boolean;
  /** Answers with an event stream or a file: not buffered, however long it is. */
  isStream: boolean;
  /** Answers 202: it begins work that goes on after it. */
  beginsWork: boolean;
  /** `x-body-limit-megabytes`, or 20 for paths that end in `:bulk`, else 1. */
  bodyMegabytes: number;
}

interface Operation {
  security?: object[];
  'x-access'?: unknown;
  'x-body-limit-megabytes'?: number;
  responses?: Record<string, { content?: Record<string, unknown> }>;
}

const STREAMS = ['text/event-stream', 'application/octet-stream'];

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const;

/** Endpoints of every service that has written its document, ordered by service, path and method. */
export function readEndpoints(servicesFolder: string): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const service of readdirSync(servicesFolder).sort()) {
    const file = join(servicesFolder, service, 'openapi.json');
    if (!existsSync(file)) continue;
    const { paths } = JSON.parse(readFileSync(file, 'utf8')) as {
      paths: Record<string, Partial<Record<string, Operation>>>;
    };
    for (const path of Object.keys(paths).sort()) {
      for (const method of METHODS) {
        const operation = paths[path]?.[method];
        if (operation !== undefined)
          endpoints.push(endpointOf(service, path, method.toUpperCase(), operation));
      }
    }
  }
  return endpoints;
}

function endpointOf(service: string, path: string, method: string, operation: Operation): Endpoint {
  const types = Object.values(operation.responses ?? {}).flatMap((answer) =>
    Object.keys(answer.content ?? {}),
  );
  return {
    service,
    path,
    method,
    isPublic: operation['x-access'] === 'public' || operation.security?.length === 0,
    isStream: types.some((type) => STREAMS.some((stream) => type.startsWith(stream))),
    beginsWork: operation.responses?.['202'] !== undefined,
    bodyMegabytes: operation['x-body-limit-megabytes'] ?? (path.endsWith(':bulk') ? 20 : 1),
  };
}
