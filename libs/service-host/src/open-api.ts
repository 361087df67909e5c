import { readFileSync, writeFileSync } from 'node:fs';
import 'reflect-metadata';
import type { DynamicModule, InjectionToken, Type } from '@nestjs/common';
import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  MODULE_METADATA,
  PARAMTYPES_METADATA,
  SELF_DECLARED_DEPS_METADATA,
} from '@nestjs/common/constants';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { describeAnswers } from './open-api-answers';
import { describeRules, type Handler } from './open-api-rules';
import type { ServiceModule } from './start-service';

/**
 * The OpenAPI document of a service, from the decorators of its controllers alone: nothing is constructed, and what
 * controllers and their interceptors ask for is replaced by nothing, so that no server and no configuration is needed.
 */
export async function createApiDocument(
  module: ServiceModule,
  options: { title: string },
): Promise<OpenAPIObject> {
  const controllers = controllersOf(module);
  const needs = new Set(controllers.flatMap((controller) => [...needsOf(controller)]));
  const shell: DynamicModule = {
    module: class ApiShell {},
    controllers,
    providers: [...needs].map((token) => ({ provide: token, useValue: undefined })),
  };
  const app = await NestFactory.create<NestFastifyApplication>(shell, new FastifyAdapter(), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  const settings = new DocumentBuilder()
    .setTitle(options.title)
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'keycloak')
    .addSecurityRequirements('keycloak')
    .build();
  const handlers = new Map<string, Handler>();
  const document = SwaggerModule.createDocument(app, settings, {
    operationIdFactory: (name, method) => {
      const id = `${name.replace(/Controller$/, '')}.${method}`;
      const controller = controllers.find((type) => type.name === name);
      if (controller !== undefined) handlers.set(id, { controller, method });
      return id;
    },
  });
  await app.close();
  describeRules(document, handlers);
  describeAnswers(document);
  return document;
}

/** Writes the document to `file`, fields as Nest gives them, two spaces, LF. True when the file changed. */
export async function writeOpenApi(
  module: ServiceModule,
  file: string,
  options: { title: string },
): Promise<boolean> {
  const text = `${JSON.stringify(await createApiDocument(module, options), null, 2)}\n`;
  if (readIfThere(file) === text) return false;
  writeFileSync(file, text);
  return true;
}

/** Controllers of a module and of all modules that it imports. */
function controllersOf(module: unknown, seen = new Set<unknown>()): Type<unknown>[] {
  if (seen.has(module) || (typeof module !== 'function' && typeof module !== 'object') || module === null)
    return [];
  seen.add(module);
  const dynamic = 'module' in module ? (module as DynamicModule) : undefined;
  const type = dynamic?.module ?? module;
  const own = [
    ...((Reflect.getMetadata(MODULE_METADATA.CONTROLLERS, type) as Type<unknown>[] | undefined) ?? []),
    ...(dynamic?.controllers ?? []),
  ];
  const imports: unknown[] = [
    ...((Reflect.getMetadata(MODULE_METADATA.IMPORTS, type) as unknown[] | undefined) ?? []),
    ...(dynamic?.imports ?? []),
  ];
  return [...new Set([...own, ...imports.flatMap((each) => controllersOf(each, seen))])];
}

/** Tokens that a controller's constructor and those of its interceptors, guards and filters name. */
function needsOf(controller: Type<unknown>): Set<InjectionToken> {
  const methods = Object.getOwnPropertyNames(controller.prototype as object).map(
    (name) => (controller.prototype as Record<string, unknown>)[name],
  );
  const enhancers = [controller, ...methods]
    .filter((target) => typeof target === 'function')
    .flatMap((target) =>
      [INTERCEPTORS_METADATA, GUARDS_METADATA, EXCEPTION_FILTERS_METADATA].flatMap(
        (key) => (Reflect.getMetadata(key, target) as unknown[] | undefined) ?? [],
      ),
    )
    .filter((enhancer) => typeof enhancer === 'function');
  const needs = new Set<InjectionToken>();
  for (const target of [controller, ...enhancers]) {
    const types = (Reflect.getMetadata(PARAMTYPES_METADATA, target) as InjectionToken[] | undefined) ?? [];
    for (const type of types) if (type !== undefined) needs.add(type);
    const named = Reflect.getMetadata(SELF_DECLARED_DEPS_METADATA, target) as
      { param: InjectionToken }[] | undefined;
    for (const { param } of named ?? []) needs.add(param);
  }
  return needs;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
