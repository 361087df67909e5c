import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Operation {
  operationId?: string;
  parameters?: { name: string; in: string }[];
  responses: Record<string, unknown>;
  'x-access'?: 'public' | string[];
  /** Of a stream: the schema of the data of each event, by the event's name. */
  'x-events'?: Record<string, object>;
}

export interface ApiDocument {
  openapi: string;
  info: object;
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, unknown>>;
  security?: object[];
}

/** Who may call an operation; `public`: anybody. By `GET /v1/keys/{id}`. */
export type Access = Readonly<Record<string, 'public' | readonly string[]>>;

/** The documents of all services, or of one. */
export function readDocuments(servicesFolder: string, only?: string): Map<string, ApiDocument> {
  const documents = new Map<string, ApiDocument>();
  for (const service of readdirSync(servicesFolder).sort()) {
    const file = join(servicesFolder, service, 'openapi.json');
    if (!existsSync(file) || (only !== undefined && only !== service)) continue;
    documents.set(service, JSON.parse(readFileSync(file, 'utf8')) as ApiDocument);
  }
  return documents;
}

/** One document of the whole API; a schema bears the name of its service, since two services may call theirs alike. */
export function mergeDocuments(documents: ReadonlyMap<string, ApiDocument>): ApiDocument {
  const merged: ApiDocument = {
    openapi: '3.0.0',
    info: { title: 'sociograph', version: '1' },
    paths: {},
    components: {},
  };
  for (const [service, document] of documents) {
    const text = JSON.stringify(document).replace(/"#\/components\/(\w+)\//g, `"#/components/$1/${service}.`);
    const { paths, components } = JSON.parse(text) as ApiDocument;
    for (const [path, methods] of Object.entries(paths)) {
      for (const operation of Object.values(methods))
        operation.operationId = `${service}.${operation.operationId ?? ''}`;
      merged.paths[path] = { ...merged.paths[path], ...methods };
    }
    for (const [kind, named] of Object.entries(components)) {
      if (kind === 'securitySchemes') continue;
      merged.components[kind] = {
        ...merged.components[kind],
        ...Object.fromEntries(Object.entries(named).map(([name, value]) => [`${service}.${name}`, value])),
      };
    }
  }
  return merged;
}

/**
 * The same operations in two documents, for two processes side by side: schemathesis' own threads change Python's limit
 * of recursion under each other.
 */
export function halvesOf(document: ApiDocument): ApiDocument[] {
  const paths = Object.entries(document.paths);
  return [0, 1]
    .map((half) => ({
      ...document,
      paths: Object.fromEntries(paths.filter((_, at) => at % 2 === half)),
    }))
    .filter((each) => Object.keys(each.paths).length > 0);
}

/** By method and path, in the order of the document. */
export function accessOf({ paths }: ApiDocument): Access {
  return Object.fromEntries(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [
        `${method.toUpperCase()} ${path}`,
        operation['x-access'] ?? [],
      ]),
    ),
  );
}
