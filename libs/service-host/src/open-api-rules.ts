import type { Type } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { getMetadataStorage } from 'class-validator';

type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/** As much of a schema as is written here. */
interface Schema {
  $ref?: string;
  type?: string;
  enum?: unknown[];
  items?: Schema;
  properties?: Record<string, Schema>;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
}

/** Where the method of an operation is. */
export interface Handler {
  controller: Type<unknown>;
  method: string;
}

/**
 * Writes into the document what class-validator checks of parameters and bodies (patterns, lengths, ranges), where the
 * decorators of OpenAPI say nothing of it: what is checked is declared once. Patterns that need Unicode classes are left
 * out, since readers of JSON Schema differ in them.
 */
export function describeRules(document: OpenAPIObject, handlers: ReadonlyMap<string, Handler>): void {
  for (const path of Object.values(document.paths)) {
    for (const operation of [path.get, path.put, path.post, path.delete, path.patch]) {
      const handler = handlers.get(operation?.operationId ?? '');
      if (operation === undefined || handler === undefined) continue;
      const classes = parametersOf(handler);
      for (const parameter of operation.parameters ?? []) {
        if (!('name' in parameter) || !['path', 'query'].includes(parameter.in)) continue;
        const rules = classes.flatMap((type) => rulesOf(type, parameter.name));
        if (rules.length === 0) continue;
        parameter.schema ??= { type: 'string' };
        apply(rules, parameter.schema as Schema);
      }
    }
  }
  const types = classesByName();
  for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) {
    const type = types.get(name);
    if (type === undefined) continue;
    for (const [property, described] of Object.entries((schema as Schema).properties ?? {}))
      apply(rulesOf(type, property), described);
  }
}

function parametersOf({ controller, method }: Handler): Type<unknown>[] {
  const types = (Reflect.getMetadata('design:paramtypes', controller.prototype as object, method) ??
    []) as unknown[];
  return types.filter((type): type is Type<unknown> => typeof type === 'function');
}

function rulesOf(type: Type<unknown>, property: string): Rule[] {
  const all = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  return all.filter((rule) => rule.propertyName === property);
}

/** Classes with rules by their names; of two with one name neither, for nobody could tell which is meant. */
function classesByName(): Map<string, Type<unknown>> {
  const storage = getMetadataStorage() as unknown as { validationMetadatas: Map<unknown, unknown> };
  const found = new Map<string, Type<unknown>>();
  const twice = new Set<string>();
  for (const type of storage.validationMetadatas.keys()) {
    if (typeof type !== 'function') continue;
    if (found.has(type.name)) twice.add(type.name);
    found.set(type.name, type as Type<unknown>);
  }
  for (const name of twice) found.delete(name);
  return found;
}

function apply(rules: readonly Rule[], described: Schema): void {
  for (const { name, constraints = [], each } of rules) {
    const schema = each === true ? described.items : described;
    if (schema === undefined || schema.$ref !== undefined || schema.enum !== undefined) continue;
    const [first, second] = constraints as unknown[];
    if (schema.type === 'string') describeText(schema, name, first, second);
    else if (schema.type === 'integer' || schema.type === 'number') {
      if (name === 'min' && typeof first === 'number') schema.minimum ??= first;
      if (name === 'max' && typeof first === 'number') schema.maximum ??= first;
    } else if (schema.type === 'array') {
      if (name === 'arrayMinSize' && typeof first === 'number') schema.minItems ??= first;
      if (name === 'arrayMaxSize' && typeof first === 'number') schema.maxItems ??= first;
    }
  }
}

function describeText(schema: Schema, name: string | undefined, first: unknown, second: unknown): void {
  if (name === 'isUuid') schema.format ??= 'uuid';
  if (name === 'matches' && first instanceof RegExp && first.flags === '' && !/\\[pP]\{/.test(first.source))
    schema.pattern ??= first.source;
  if ((name === 'isLength' || name === 'minLength') && typeof first === 'number') schema.minLength ??= first;
  if (name === 'maxLength' && typeof first === 'number') schema.maxLength ??= first;
  if (name === 'isLength' && typeof second === 'number') schema.maxLength ??= second;
}
