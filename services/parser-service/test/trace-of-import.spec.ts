import { inSpan, startTracing, type FinishedSpan, type Tracing } from '@sociograph/observability';
import { PgCallLedger } from '../src/infrastructure/pg-call-ledger';
import { PrismaImports } from '../src/infrastructure/prisma-imports';
import { anImport } from './builders';
import { risingId } from './rising-id';
import { scratchDatabase, type ScratchDatabase } from './scratch-database';

jest.setTimeout(60_000);

describe('the trace of an import', () => {
  let database: ScratchDatabase;
  let tracing: Tracing;
  const ended: FinishedSpan[] = [];

  beforeAll(async () => {
    database = await scratchDatabase();
    tracing = startTracing({
      service: 's',
      instance: '0',
      sampleRatio: 1,
      onEnd: (span) => ended.push(span),
    });
  });
  afterAll(async () => {
    await tracing.shutdown();
    await database.drop();
  });

  /** Trace and span of the message of a call. */
  const sent = async (callId: string): Promise<(string | undefined)[]> => {
    const { rows } = await database.admin.query<{ traceparent: string }>(
      `SELECT traceparent FROM outbox WHERE kind = 'task' AND payload->>'callId' = $1`,
      [callId],
    );
    return rows[0]?.traceparent.split('-').slice(1, 3) ?? [];
  };

  it('has the calls of its first dispatch; those of later ones have their own and name it', async () => {
    const [importId, workspaceId] = [risingId(), `w-${risingId()}`];
    const imports = new PrismaImports(database.prisma, database.app, database.worker);
    let request = { traceId: '', spanId: '' };
    await inSpan('request', {}, async (span) => {
      request = span.spanContext();
      await imports.add(anImport({ id: importId, workspaceId, seeds: ['1', '2', '3', '4'] }));
    });
    const ledger = new PgCallLedger(database.worker);
    const dispatch = async (): Promise<string> => {
      const callId = risingId();
      const pack = { importId, kind: 'lists' as const, size: 2 };
      await ledger.dispatch({ workspaceId, network: 'toy' }, () => ({
        calls: [{ callId, pack }],
        closed: [],
      }));
      return callId;
    };
    const [first, later] = [await dispatch(), await dispatch()];
    const dispatchOf = (callId: string): FinishedSpan | undefined =>
      ended.find(
        ({ name, attributes }) => name === 'dispatch call' && attributes['sociograph.call.id'] === callId,
      );

    expect(dispatchOf(first)).toMatchObject({
      traceId: request.traceId,
      parentSpanId: request.spanId,
      links: [],
    });
    expect(await sent(first)).toEqual([request.traceId, dispatchOf(first)?.spanId]);
    expect(dispatchOf(later)).toMatchObject({ parentSpanId: undefined, links: [request.spanId] });
    expect(dispatchOf(later)?.traceId).not.toBe(request.traceId);
    expect(await sent(later)).toEqual([dispatchOf(later)?.traceId, dispatchOf(later)?.spanId]);
    expect(ended.find(({ name }) => name === 'request')?.attributes).toEqual({
      'sociograph.import.id': importId,
    });
  });

  it('is none where the request had none', async () => {
    const [importId, workspaceId] = [risingId(), `w-${risingId()}`];
    await new PrismaImports(database.prisma, database.app, database.worker).add(
      anImport({ id: importId, workspaceId, seeds: ['1'] }),
    );
    const { rows } = await database.admin.query('SELECT traceparent FROM imports WHERE id = $1', [importId]);
    expect(rows).toEqual([{ traceparent: null }]);
  });
});
