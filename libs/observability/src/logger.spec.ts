import { DomainError, Secret } from '@sociograph/kernel';
import { runWithCorrelation } from './correlation';
import { createLogger, setLogLevel, type Logger } from './logger';
import { inSpan, startTracing } from './tracing';

function aLogger(level = 'info'): { logger: Logger; lines: Record<string, unknown>[]; text: () => string } {
  const written: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string): void => {
      written.push(line);
      lines.push(JSON.parse(line) as Record<string, unknown>);
    },
  };
  return {
    logger: createLogger({ service: 's', instance: '1', level, destination }),
    lines,
    text: () => written.join(''),
  };
}

describe('the logger', () => {
  it('writes a sentence, its fields and where it comes from', () => {
    const { logger, lines } = aLogger();
    logger.info({ keys: 3 }, 'keys loaded');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        service: 's',
        instance: '1',
        keys: 3,
        msg: 'keys loaded',
      },
    ]);
  });

  it('never writes a secret, by type or by name, down to two levels', () => {
    const { logger, text } = aLogger();
    const values = { token: 'vk1.SECRET', password: 'SECRET', authorization: 'Bearer SECRET' };
    logger.info({ ...values, key: { token: 'SECRET' }, req: { headers: { authorization: 'SECRET' } } }, 'x');
    logger.info({ deep: { a: { b: { c: new Secret('SECRET') } } }, list: [new Secret('SECRET')] }, 'x');
    logger.child({ token: 'SECRET' }).info('x');
    expect(text()).not.toContain('SECRET');
    expect(text()).toContain('[redacted]');
  });

  it('describes an error with its code, facts and causes', () => {
    const { logger, lines } = aLogger();
    const cause = new Error('the socket closed');
    const err = new DomainError({
      code: 'A.B',
      kind: 'unavailable',
      message: 'No.',
      facts: { tries: 2 },
      cause,
    });
    logger.warn({ err }, 'failed');
    expect(lines[0]?.['err']).toMatchObject({
      name: 'DomainError',
      message: 'No.',
      code: 'A.B',
      kind: 'unavailable',
      facts: { tries: 2 },
      cause: { name: 'Error', message: 'the socket closed' },
    });
  });

  it('adds the correlation id and the trace of the work at hand', async () => {
    const { logger, lines } = aLogger();
    const tracing = startTracing({ service: 's', instance: '1', sampleRatio: 1 });
    await runWithCorrelation('c-1', () =>
      inSpan('work', {}, (span) => {
        logger.info('x');
        expect(lines[0]).toMatchObject({ correlationId: 'c-1', traceId: span.spanContext().traceId });
      }),
    );
    await tracing.shutdown();
    logger.info('y');
    expect(lines[1]).not.toHaveProperty('correlationId');
    expect(lines[1]).not.toHaveProperty('traceId');
  });

  it('changes its level and that of children made before', () => {
    const { logger, lines } = aLogger('warn');
    const child = logger.child({ part: 'x' });
    const grandchild = child.child({ part: 'y' });
    grandchild.info('unheard');
    setLogLevel(logger, 'info');
    child.info('heard');
    grandchild.info('heard too');
    expect(lines.map((line) => line['msg'])).toEqual(['heard', 'heard too']);
  });
});
