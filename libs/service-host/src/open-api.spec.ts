import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Body, Controller, Get, Inject, Module, Post, Query, UseInterceptors } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IdempotentPost } from './idempotent-post';
import { createApiDocument, writeOpenApi } from './open-api';
import { PageQuery } from './paging';

abstract class Things {}

class CreateThing {
  @ApiProperty({ minLength: 1 })
  name!: string;
}

@Controller('v1/things')
class ThingsController {
  constructor(
    readonly things: Things,
    @Inject('LIMIT') readonly limit: number,
  ) {
    throw new Error('must not be constructed');
  }

  @Get()
  list(@Query() query: PageQuery): unknown {
    return query;
  }

  @Post()
  @UseInterceptors(IdempotentPost)
  create(@Body() body: CreateThing): unknown {
    return body;
  }
}

@Module({ controllers: [ThingsController] })
class PartModule {}

@Module({ imports: [PartModule] })
class ThingsModule {}

describe('the OpenAPI document', () => {
  it('is made from decorators, without constructing a provider', async () => {
    const document = await createApiDocument(ThingsModule, { title: 'things' });
    expect(document.info).toMatchObject({ title: 'things', version: '1' });
    expect(Object.keys(document.paths)).toEqual(['/v1/things']);
    const { get } = document.paths['/v1/things'] ?? {};
    expect(get?.operationId).toBe('Things.list');
    expect(get?.parameters).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'limit', in: 'query' })]) as unknown,
    );
    expect(Object.keys(document.components?.schemas ?? {})).toEqual([
      ...['CreateThing', 'Problem', 'GatewayMessage'],
    ]);
    expect(document.security).toEqual([{ keycloak: [] }]);
  });

  it('is the same for a module made at run time', async () => {
    const dynamic = { module: class Empty {}, controllers: [ThingsController] };
    expect(await createApiDocument(dynamic, { title: 'things' })).toEqual(
      await createApiDocument(ThingsModule, { title: 'things' }),
    );
  });

  it('is written only when it changed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'openapi-'));
    const file = join(folder, 'openapi.json');
    expect(await writeOpenApi(ThingsModule, file, { title: 'things' })).toBe(true);
    expect(await writeOpenApi(ThingsModule, file, { title: 'things' })).toBe(false);
    expect(await writeOpenApi(ThingsModule, file, { title: 'others' })).toBe(true);
    expect(readFileSync(file, 'utf8')).toMatch(/^\{\n {2}"openapi": "3.0.0",[^]*\}\n$/);
    rmSync(folder, { recursive: true });
  });
});
