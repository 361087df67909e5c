import { Body, Controller, Delete, Get, Headers, HttpCode, Module, Post, Put, Query } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiExtension,
  ApiHeader,
  ApiOkResponse,
  ApiProperty,
  type OpenAPIObject,
} from '@nestjs/swagger';
import { IsInt, Length, Matches, Max, MaxLength, Min } from 'class-validator';
import { createApiDocument } from './open-api';
import { PageQuery } from './paging';

class Thing {
  @ApiProperty()
  @Length(2, 9)
  name!: string;

  @ApiProperty({ maxLength: 5 })
  @Matches(/^[a-z]+$/)
  @MaxLength(7)
  word!: string;

  @ApiProperty()
  @Matches(/^\p{Lu}/u)
  title!: string;

  @ApiProperty({ type: 'integer', maximum: 3 })
  @IsInt()
  @Min(1)
  @Max(4)
  size!: number;

  @ApiProperty({ type: [String] })
  @Matches(/^x/, { each: true })
  parts!: string[];
}

class ThingsQuery extends PageQuery {
  @Matches(/^[0-9]+$/)
  by!: string;
}

@Controller('v1/things')
class ThingsController {
  @Get()
  list(@Query() query: ThingsQuery): unknown {
    return query;
  }

  @Post()
  @HttpCode(202)
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  create(@Body() body: Thing): unknown {
    return body;
  }
}

@Controller('v1/thing')
class ThingController {
  @Get()
  @ApiOkResponse()
  @ApiConflictResponse()
  read(): void {}

  @Put()
  @ApiHeader({ name: 'If-Match', required: false })
  change(@Headers('if-match') version: string): unknown {
    return version;
  }

  @Delete()
  @HttpCode(204)
  @ApiExtension('x-access', 'public')
  remove(): void {}
}

@Module({ controllers: [ThingsController, ThingController] })
class ThingsModule {}

type Answers = Record<string, { $ref?: string; headers?: Record<string, { $ref: string }> }>;

describe('the answers of an OpenAPI document', () => {
  let document: OpenAPIObject;
  const answers = (path: string, method: 'get' | 'put' | 'post' | 'delete'): Answers =>
    (document.paths[path]?.[method]?.responses ?? {}) as Answers;
  const always = ['400', '404', '413', '414', '429', '502', '503', '504'];
  const statuses = (...more: string[]): string[] => [...always, ...more].sort();

  beforeAll(async () => {
    document = await createApiDocument(ThingsModule, { title: 'things' });
  });

  it('are all that the service or the gateway may give, by what the operation does', () => {
    expect(Object.keys(answers('/v1/things', 'get'))).toEqual(statuses('200', '401', '403', '422'));
    expect(Object.keys(answers('/v1/things', 'post'))).toEqual(
      statuses('202', '401', '403', '409', '415', '422'),
    );
    expect(Object.keys(answers('/v1/thing', 'get'))).toEqual(statuses('200', '401', '403', '409'));
    expect(Object.keys(answers('/v1/thing', 'put'))).toEqual(
      statuses('200', '401', '403', '409', '412', '415', '422'),
    );
    expect(Object.keys(answers('/v1/thing', 'delete'))).toEqual(statuses('204', '409', '415', '422'));
  });

  it('that fail are described once', () => {
    expect(answers('/v1/thing', 'get')['409']).toEqual({ $ref: '#/components/responses/Conflict' });
    const { responses = {}, schemas = {} } = document.components ?? {};
    expect(Object.keys(responses)).toHaveLength(14);
    expect(responses['TooMany']).toMatchObject({
      headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } },
      content: {
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        'application/json': { schema: { $ref: '#/components/schemas/GatewayMessage' } },
      },
    });
    expect(schemas['Problem']).toMatchObject({ required: ['type', 'title', 'status', 'detail', 'code'] });
    const used = [...JSON.stringify(document).matchAll(/"#\/components\/(\w+)\/(\w+)"/g)].filter(
      ([, kind = '', name = '']) =>
        (document.components as Record<string, Record<string, unknown>>)[kind]?.[name] === undefined,
    );
    expect(used).toEqual([]);
  });

  it('that succeed have the headers that come with them', () => {
    const headers = (found: Answers, status: string): string[] => Object.keys(found[status]?.headers ?? {});
    const usual = ['X-Correlation-Id', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];
    expect(headers(answers('/v1/things', 'get'), '200')).toEqual(usual);
    expect(headers(answers('/v1/things', 'post'), '202')).toEqual([
      ...[...usual, 'Location', 'Idempotency-Replayed'],
    ]);
    expect(headers(answers('/v1/thing', 'get'), '200')).toEqual([...usual, 'ETag']);
    expect(headers(answers('/v1/thing', 'delete'), '204')).toEqual(usual);
  });

  it('are to what is checked of a request, where nothing else is said', () => {
    const { properties } = (document.components?.schemas?.['Thing'] ?? {}) as {
      properties: Record<string, unknown>;
    };
    expect(properties).toEqual({
      name: { type: 'string', minLength: 2, maxLength: 9 },
      word: { type: 'string', maxLength: 5, pattern: '^[a-z]+$' },
      title: { type: 'string' },
      size: { type: 'integer', minimum: 1, maximum: 3 },
      parts: { type: 'array', items: { type: 'string', pattern: '^x' } },
    });
    const parameters = document.paths['/v1/things']?.get?.parameters ?? [];
    expect(parameters).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          name: 'cursor',
          schema: { type: 'string', maxLength: 512, pattern: '^[A-Za-z0-9_-]{1,512}$' },
        }),
      ]) as unknown,
    );
  });
});
