import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension } from '@nestjs/swagger';

/** What the edge reads from the configuration of a route. */
export interface BodyRules {
  bodyBytes?: number;
  /** Media types beside application/json; their bodies arrive as text. */
  bodyTypes?: readonly string[];
  /** The handler reads the body itself. */
  streamed?: boolean;
}

const MEGABYTE = 1_048_576;

/** Gives a route bodies above 1 MB, and text of these media types beside JSON; the gateway is told so by OpenAPI. */
export function LargeBody(megabytes: number, ...types: string[]): MethodDecorator {
  const rules: BodyRules = { bodyBytes: megabytes * MEGABYTE, bodyTypes: types };
  return applyDecorators(RouteConfig(rules), ApiExtension('x-body-limit-megabytes', megabytes));
}

/**
 * Leaves a body of these media types to the route's handler, as a `Readable` in `req.body`: nothing of it is in memory
 * before the handler asks for it. The handler counts the bytes itself and answers 413; the gateway is told the limit by
 * OpenAPI. A whole body has the 30 s of every request.
 */
export function StreamedBody(megabytes: number, ...types: string[]): MethodDecorator {
  const rules: BodyRules = { bodyBytes: megabytes * MEGABYTE, bodyTypes: types, streamed: true };
  return applyDecorators(RouteConfig(rules), ApiExtension('x-body-limit-megabytes', megabytes));
}
