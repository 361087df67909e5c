import { readFileSync, writeFileSync } from 'node:fs';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { ServiceModule } from './start-service';

const problemSchema: NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string] = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    instance: { type: 'string', description: 'Correlation id of the request' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

const gatewayAnswers: Record<string, string> = {
  401: 'No valid token. From the gateway: a body with one field, `message`',
  413: 'The body is above 1 MB',
  429: 'Too many requests. From the gateway: a body with one field, `message`',
  503: 'Not available at the moment; `Retry-After` says when to try again',
};

/**
 * The OpenAPI document of a service. The module is built in Nest's preview mode: no provider is constructed, so no
 * server and no configuration is needed.
 */
export async function createApiDocument(
  module: ServiceModule,
  options: { title: string },
): Promise<OpenAPIObject> {
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
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
  const document = SwaggerModule.createDocument(app, settings, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}.${method}`,
  });
  await app.close();
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: problemSchema },
  };
  for (const path of Object.values(document.paths)) describeFailures(path);
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

function describeFailures(path: OpenAPIObject['paths'][string]): void {
  for (const operation of [path.get, path.put, path.post, path.delete, path.patch]) {
    if (operation === undefined) continue;
    for (const [status, description] of Object.entries(gatewayAnswers)) {
      operation.responses[status] ??= { description };
    }
    operation.responses['default'] ??= {
      description: 'Any other failure',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
