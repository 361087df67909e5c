/** The part of JSON Schema that the documents of our services use. */
export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
}

/** A body that is wrong in one place; `field` is what the answer has to name, or something inside of it. */
export interface BadBody {
  field: string;
  body: unknown;
}

type Path = readonly (string | number)[];

/** What is longer than any field may be, and is refused also where the document tells no length. */
const LONG = 'x'.repeat(5_000);
const BELL = 'a\u0007b';

/**
 * All bodies that are wrong in one place of `schema`: wrong types, figures and lengths beyond the limits, control
 * characters, what is missing and what nobody knows. `good` is right and has every field of the schema.
 */
export function badBodies(schema: Schema, good: unknown, components: Record<string, Schema>): BadBody[] {
  return [...visit(resolved(schema, components), [], good, components)];
}

function* visit(
  schema: Schema,
  path: Path,
  good: unknown,
  components: Record<string, Schema>,
): Iterable<BadBody> {
  const field = path.join('.');
  const put = (value: unknown): BadBody => ({ field, body: replaced(good, path, value) });
  if (path.length > 0) for (const value of wrongValues(schema)) yield put(value);
  if (schema.type === 'array' && schema.items !== undefined && path.length > 0)
    for (const value of wrongValues(resolved(schema.items, components))) yield put([value]);
  if (schema.type !== 'object') return;
  if (typeof schema.additionalProperties === 'object') {
    for (const value of wrongValues(resolved(schema.additionalProperties, components)))
      yield put({ 'wall.get': value });
    yield put({ 'no name': 1 });
    yield put({ [LONG]: 1 });
    return;
  }
  yield { field: [...path, 'colour'].join('.'), body: replaced(good, [...path, 'colour'], 'red') };
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const inner = [...path, name];
    if (valueAt(good, inner) === undefined) throw new Error(`The good body has no ${inner.join('.')}.`);
    if (schema.required?.includes(name) === true) {
      for (const value of [undefined, null])
        yield { field: inner.join('.'), body: replaced(good, inner, value) };
    }
    yield* visit(resolved(property, components), inner, good, components);
  }
}

/** Values that a field of this schema cannot have. */
export function wrongValues(schema: Schema): unknown[] {
  if (schema.enum !== undefined) return ['nobody', 5, [], {}];
  switch (schema.type) {
    case 'string': {
      const short = (schema.minLength ?? 0) > 0 ? ['x'.repeat((schema.minLength ?? 0) - 1)] : [];
      const long = schema.maxLength === undefined ? [] : ['x'.repeat(schema.maxLength + 1)];
      return [5, true, ['x'], { a: 1 }, BELL, 'a\u0000b', '\ud800', LONG, ...short, ...long];
    }
    case 'integer':
      return [
        ...['x', '5', '', 1.5, true, [1], {}, 1e300],
        (schema.minimum ?? 0) - 1,
        ...(schema.maximum === undefined ? [] : [schema.maximum + 1]),
      ];
    case 'array':
      return ['x', 5, true, {}, Array.from({ length: (schema.maxItems ?? 1_000) + 1 }, () => 'x')];
    case 'object':
      return ['x', 5, true, []];
    default:
      throw new Error(`Nothing is known that would be wrong for ${JSON.stringify(schema)}.`);
  }
}

/** Texts that a query or path parameter of this schema cannot be. */
export function wrongTexts(schema: Schema): string[] {
  if (schema.enum !== undefined) return ['nobody', ''];
  if (schema.type === 'integer')
    return ['x', '1.5', '1e3000', `${(schema.minimum ?? 0) - 1}`, `${schema.maximum}0`];
  if (schema.type !== 'string')
    throw new Error(`Nothing is known that would be wrong for ${JSON.stringify(schema)}.`);
  const long = schema.maxLength === undefined ? [] : ['x'.repeat(schema.maxLength + 1)];
  return ['a\u0000b', LONG, '', ...long];
}

export function resolved(schema: Schema, components: Record<string, Schema>): Schema {
  const target = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (target === undefined) return schema;
  const found = components[target.replace('#/components/schemas/', '')];
  if (found === undefined) throw new Error(`The document has no ${target}.`);
  return found;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], value);
}

/** A copy with another value in one place; undefined takes it away. */
function replaced(value: unknown, path: Path, by: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return by;
  return { ...(value as object), [first]: replaced(valueAt(value, [first]), rest, by) };
}
