import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { currentCorrelationId, type Logger } from '@sociograph/observability';
import type { FastifyReply } from 'fastify';
import { problemOf } from './problem';

/** Answers every failure of an HTTP request as problem+json; failures elsewhere go on to their own transport. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    sendProblem(host.switchToHttp().getResponse<FastifyReply>(), error, this.logger);
  }
}

/** Writes the answer; also used by Fastify's own errors, which never reach Nest. */
export function sendProblem(reply: FastifyReply, error: unknown, logger: Logger): void {
  const { problem, retryAfterSeconds, unexpected } = problemOf(error);
  if (unexpected) {
    logger[problem.status === 503 ? 'warn' : 'error']({ err: error, code: problem.code }, 'request failed');
  }
  if (reply.sent || reply.raw.headersSent) return;
  const instance = currentCorrelationId();
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(Math.ceil(retryAfterSeconds)));
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="sociograph"');
  void reply
    .status(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(instance === undefined ? problem : { ...problem, instance }));
}
