import { AsyncResource } from 'node:async_hooks';
import type { Socket } from 'node:net';
import { HttpException } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DomainError } from '@sociograph/kernel';
import {
  acceptCorrelationId,
  runWithCorrelation,
  runWithPeer,
  startServerSpan,
  type Health,
  type ServerSpan,
} from '@sociograph/observability';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HostContext } from './host-context';
import type { BodyRules } from './large-body';
import { nestsDeeperThan } from './nesting';
import { peerAddress } from './peer-address';
import { sendProblem } from './problem-filter';

const BODY_LIMIT_BYTES = 1_048_576;
const MOST_NESTED = 100;

/** What the gateway asks its targets; the gateway routes nobody there, and it tells nothing. */
const PROBE = '/health/live';

type EdgeRequest = FastifyRequest & { edge?: { startedAt: number; span: ServerSpan; scope: AsyncResource } };

/**
 * Fastify as the edge of a service: JSON bodies up to 1 MB, every error of Fastify itself as problem+json, a
 * correlation id, a span, RED metrics and one log line for each request.
 */
export class EdgeAdapter extends FastifyAdapter {
  constructor(private readonly ctx: HostContext) {
    super({
      logger: false,
      bodyLimit: BODY_LIMIT_BYTES,
      forceCloseConnections: 'idle',
      requestTimeout: 30_000,
      routerOptions: { maxParamLength: 512 },
      clientErrorHandler: (_error: Error, socket: Socket) => refuseMalformedHttp(socket),
      frameworkErrors: (error: Error, _req: unknown, answer: unknown) => {
        const reply = answer as FastifyReply;
        const correlationId = ctx.ids.next();
        void reply.header('x-correlation-id', correlationId);
        runWithCorrelation(correlationId, () => sendProblem(reply, translate(error), ctx.logger));
      },
    });
    const fastify = this.getInstance<FastifyInstance>();
    observeRequests(fastify, ctx);
    answerProbes(fastify, ctx.health);
    acceptJsonOnly(fastify);
    acceptText(fastify, 'text/csv');
    leaveStreams(fastify);
  }

  // Nest passes the handler that ends in the ProblemFilter; Fastify's errors need their meaning first.
  override setErrorHandler(
    handler: Parameters<FastifyAdapter['setErrorHandler']>[0],
  ): ReturnType<FastifyAdapter['setErrorHandler']> {
    const { logger } = this.ctx;
    void handler;
    return super.setErrorHandler((error, _req, reply) =>
      sendProblem(reply as FastifyReply, translate(error), logger),
    );
  }
}

/** Gives Fastify's own errors a code and the field they are about. */
function translate(error: unknown): unknown {
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  const fault = (status: string, field: string, message: string): DomainError =>
    new DomainError({
      code: status,
      kind: 'invalid-input',
      message: `The ${field} ${message}.`,
      fields: [{ field, message }],
    });
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new HttpException('A body has at most 1 MB where nothing else is said', 413);
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new HttpException('Send the body as application/json', 415);
  if (code === 'FST_ERR_BAD_URL') return fault('REQUEST.BAD_PATH', 'path', 'is not a well-formed URL path');
  if (code?.startsWith('FST_ERR_CTP') === true)
    return fault('REQUEST.BAD_BODY', 'body', 'is not what its headers say');
  if (error instanceof SyntaxError) return fault('REQUEST.BAD_JSON', 'body', 'is not well-formed JSON');
  if (
    typeof statusCode === 'number' &&
    statusCode >= 400 &&
    statusCode < 500 &&
    !(error instanceof HttpException)
  ) {
    return new HttpException((error as Error).message, statusCode);
  }
  return error;
}

function acceptJsonOnly(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (req, body, done) => {
    // Some clients send the header without a body on commands such as `pause`.
    if (body === '') return done(null, undefined);
    // PostgreSQL cannot store U+0000 and would fail later, as if it were our fault.
    if (body.includes('\\u0000') || body.includes('\0')) return done(new SyntaxError('U+0000'), undefined);
    if (nestsDeeperThan(MOST_NESTED, body)) return done(tooDeep(), undefined);
    return parse(req, body, (error, value) => done(error === null ? null : new SyntaxError('json'), value));
  });
  fastify.addHook('onRequest', async (req) => {
    const nul = req.url.indexOf('%00');
    if (nul !== -1) throw holdsNul(req.url.slice(0, nul).includes('?') ? 'query' : 'path');
  });
}

function holdsNul(field: 'path' | 'query'): DomainError {
  const message = 'must not contain %00';
  return new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: `The ${field} ${message}.`,
    fields: [{ field, message }],
  });
}

function tooDeep(): DomainError {
  const message = `must not be nested more than ${MOST_NESTED} deep`;
  return new DomainError({
    code: 'REQUEST.BAD_BODY',
    kind: 'invalid-input',
    message: `The body ${message}.`,
    fields: [{ field: 'body', message }],
  });
}

/** Text of a media type for the routes that ask for it (`LargeBody`); everywhere else it is 415 as before. */
function acceptText(fastify: FastifyInstance, type: string): void {
  fastify.addHook('onRoute', (route) => {
    const { bodyBytes } = (route.config ?? {}) as BodyRules;
    if (bodyBytes !== undefined) route.bodyLimit = bodyBytes;
  });
  fastify.addContentTypeParser<string>(type, { parseAs: 'string' }, (req, body, done) => {
    const { bodyTypes = [] } = req.routeOptions.config as BodyRules;
    if (!bodyTypes.includes(type)) return done(new HttpException('Send the body as application/json', 415));
    if (body.includes('\0')) return done(new SyntaxError('U+0000'));
    return done(null, body);
  });
}

/** No client sends this type: a request to a route with `StreamedBody` is given it in place of its own. */
const STREAM = 'application/vnd.sociograph.stream';

/** Parsers belong to media types, not to routes, hence the exchange of the type before a parser is looked for. */
function leaveStreams(fastify: FastifyInstance): void {
  const isStreamed = (req: FastifyRequest): boolean => {
    const { streamed = false, bodyTypes = [] } = (req.routeOptions.config ?? {}) as BodyRules;
    const type = req.raw.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
    return streamed && bodyTypes.includes(type);
  };
  fastify.addHook('onRequest', (req, _reply, done) => {
    if (req.raw.headers['content-type'] === STREAM) delete req.raw.headers['content-type'];
    if (isStreamed(req)) req.raw.headers['content-type'] = STREAM;
    done();
  });
  fastify.addContentTypeParser(STREAM, (_req, payload, done) => done(null, payload));
}

function observeRequests(fastify: FastifyInstance, ctx: HostContext): void {
  const duration = ctx.metrics.histogram(
    'http_server_request_duration_seconds',
    'Time from the first byte of a request to the last of its answer; a spike means a slow server behind',
    ['method', 'route', 'status'],
  );
  fastify.addHook('onRequest', (req: EdgeRequest, reply, done) => {
    if (req.url === PROBE) return done();
    const correlationId = acceptCorrelationId(single(req.headers['x-correlation-id']), ctx.ids);
    void reply.header('x-correlation-id', correlationId);
    const span = startServerSpan(req.headers, { 'sociograph.correlation.id': correlationId });
    const peer = peerAddress(req.socket.remoteAddress, single(req.headers['x-forwarded-for']));
    runWithCorrelation(correlationId, () =>
      runWithPeer(peer, () =>
        span.run(() => {
          req.edge = { startedAt: performance.now(), span, scope: new AsyncResource('request') };
          done();
        }),
      ),
    );
  });
  // Reading the body leaves the asynchronous scope of the request; this enters it again.
  fastify.addHook('preValidation', (req: EdgeRequest, _reply, done) => {
    if (req.edge === undefined) done();
    else req.edge.scope.runInAsyncScope(done);
  });
  fastify.addHook('onResponse', (req: EdgeRequest, reply, done) => {
    if (req.edge !== undefined) finish(req, reply, req.edge);
    done();
  });

  function finish(req: FastifyRequest, reply: FastifyReply, edge: NonNullable<EdgeRequest['edge']>): void {
    const seconds = (performance.now() - edge.startedAt) / 1000;
    const outcome = {
      method: req.method,
      route: req.routeOptions.url ?? 'unmatched',
      status: reply.statusCode,
    };
    edge.scope.runInAsyncScope(() => {
      duration.observe({ ...outcome, status: String(outcome.status) }, seconds);
      ctx.logger.info({ ...outcome, durationMs: Math.round(seconds * 1000) }, 'request answered');
    });
    edge.span.end(outcome);
  }
}

/**
 * One probe a second and instance: neither logged nor measured, and open without a token. 503 from the signal on: the
 * gateway then sends no more requests, while those that come are still answered.
 */
function answerProbes(fastify: FastifyInstance, health: Health): void {
  fastify.get(PROBE, { logLevel: 'silent' }, async (_req, reply) => {
    const isStopping = health.isStopping();
    return reply.code(isStopping ? 503 : 200).send({ status: isStopping ? 'stopping' : 'up' });
  });
}

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Bytes that are no HTTP at all: there is no request to answer, so the socket gets the shortest problem there is. */
function refuseMalformedHttp(socket: Socket): void {
  if (!socket.writable) return;
  const body = JSON.stringify({
    type: 'https://sociograph.dev/problems/invalid-input',
    title: 'The request is not valid',
    status: 400,
    detail: 'This is not well-formed HTTP.',
    code: 'REQUEST.BAD_HTTP',
  });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}
