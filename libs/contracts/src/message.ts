import { z } from 'zod';

/**
 * One message of the platform, declared once: the type is inferred, JSON Schema and AsyncAPI are generated.
 * A version only ever gains optional fields; anything else is a new version beside the old one.
 */
export interface MessageDefinition<S extends z.ZodType = z.ZodType> {
  /** CloudEvents type, e.g. `sociograph.social.user-observed`. */
  readonly name: string;
  readonly version: number;
  readonly summary: string;
  readonly schema: S;
  /** A payload that parses; it also stands in the generated documents. */
  readonly example: z.infer<S>;
}

export type PayloadOf<M extends MessageDefinition> = z.infer<M['schema']>;

/** `sociograph.social.user-observed.v1`: the value of the `ce_type` header. */
export function messageType(message: MessageDefinition): string {
  return `${message.name}.v${message.version}`;
}

/** Declares a message; throws at start-up when its own example does not parse. */
export function defineMessage<S extends z.ZodType>(definition: MessageDefinition<S>): MessageDefinition<S> {
  definition.schema.parse(definition.example);
  return Object.freeze(definition);
}
