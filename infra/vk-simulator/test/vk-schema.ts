import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2019';
import type { AnySchema } from 'ajv/dist/2019';

const FOLDER = join(__dirname, 'vk-schema');
type Node = Record<string, unknown>;

const DROPPED = new Set(['required', 'additionalProperties', 'discriminator', 'description', 'enumNames']);

/** In recorded answers, though the schema of 5.199 has no such field of a person or a community. */
const RECORDED = new Set(['country', 'track_code']);

/** Where a value is described, as against a part of such a description: nothing else may be in it. */
const closed = (node: Node): Node => ({ ...translated(node), unevaluatedProperties: false });

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema({ $id: 'vk', definitions: definitions() } as AnySchema);

/** VK's schema of one response, translated for ajv and closed: a field that it does not know is a fault too. */
export function faultsBy(definition: string, answer: unknown): string[] {
  const check = ajv.getSchema(`vk#/definitions/${definition}`);
  if (check === undefined) throw new Error(`VK's schema has no ${definition}.`);
  if (check(answer) === true) return [];
  return (check.errors ?? [])
    .filter(
      ({ params }) => !RECORDED.has((params as { unevaluatedProperty?: string }).unevaluatedProperty ?? ''),
    )
    .map(({ instancePath, message, params }) => `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`);
}

/** Code and description of every error that VK's list has. */
export function knownErrors(): Map<number, string> {
  const { errors } = JSON.parse(readFileSync(join(FOLDER, 'errors.json'), 'utf8')) as {
    errors: Record<string, { code: number; description: string }>;
  };
  return new Map(Object.values(errors).map(({ code, description }) => [code, description]));
}

function definitions(): Node {
  const all: Node = {};
  for (const section of readdirSync(FOLDER, { withFileTypes: true })) {
    if (!section.isDirectory()) continue;
    for (const file of readdirSync(join(FOLDER, section.name))) {
      const json = JSON.parse(readFileSync(join(FOLDER, section.name, file), 'utf8')) as {
        definitions: Node;
      };
      for (const [name, node] of Object.entries(json.definitions)) all[name] = translated(node as Node);
    }
  }
  return all;
}

function translated(node: Node): Node {
  const result: Node = {};
  for (const [keyword, value] of Object.entries(node)) {
    if (DROPPED.has(keyword)) continue;
    if (keyword === '$ref') result['$ref'] = (value as string).replace(/^.*#/, '#');
    else if (keyword === 'items') result['items'] = closed(value as Node);
    else if (keyword === 'allOf') result['allOf'] = (value as Node[]).map(translated);
    else if (keyword === 'oneOf') result['anyOf'] = (value as Node[]).map(translated);
    else if (keyword === 'properties') {
      const properties = Object.entries(value as Record<string, Node>);
      result['properties'] = Object.fromEntries(properties.map(([name, inner]) => [name, closed(inner)]));
      // VK marks the property where JSON Schema lists it at the object.
      const required = properties.filter(([, inner]) => inner['required'] === true).map(([name]) => name);
      if (required.length > 0) result['required'] = required;
    } else result[keyword] = value;
  }
  return result;
}
