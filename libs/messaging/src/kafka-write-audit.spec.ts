import { actionAudited } from '@sociograph/contracts';
import { runWithCorrelation, runWithPeer } from '@sociograph/observability';
import { fakeClock, sequentialIds } from '@sociograph/testing';
import type { OutgoingEvent } from './event-publisher';
import { KafkaWriteAudit } from './kafka-write-audit';

const deed = { workspaceId: 'w', by: 'ada', action: 'export.create', target: 'export/1' };

describe('the audit trail in Kafka', () => {
  const set = () => {
    const published: unknown[] = [];
    const publish = async (events: OutgoingEvent[]): Promise<never> => {
      for (const { message, key, value } of events) {
        actionAudited.schema.parse(value);
        published.push([message, key, value]);
      }
      return {} as never;
    };
    return { published, audit: new KafkaWriteAudit({ publish }, fakeClock(1_000.5), sequentialIds('a')) };
  };

  it('is told who did what, from where and under which correlation id', async () => {
    const { published, audit } = set();
    await runWithPeer('203.0.113.7', () => runWithCorrelation('c-1', () => audit.record(deed)));
    const told = {
      ...{ auditId: 'a-1', workspaceId: 'w', actor: { kind: 'person', id: 'ada' } },
      ...{ action: 'export.create', target: 'export/1', at: 1_000, result: 'done' },
      ...{ peer: '203.0.113.7', correlationId: 'c-1' },
    };
    expect(published).toEqual([[actionAudited, 'w', told]]);
  });

  it('is told of a failure and why, and nothing that is not known', async () => {
    const { published, audit } = set();
    await audit.record(deed, { result: 'failed', reason: 'A.B' });
    const told = {
      ...{ auditId: 'a-1', workspaceId: 'w', actor: { kind: 'person', id: 'ada' } },
      ...{ action: 'export.create', target: 'export/1', at: 1_000, result: 'failed', reason: 'A.B' },
    };
    expect(published).toEqual([[actionAudited, 'w', told]]);
  });

  it('fails when the log does', async () => {
    const publish = (): Promise<never> => Promise.reject(new Error('away'));
    const audit = new KafkaWriteAudit({ publish }, fakeClock(), sequentialIds());
    await expect(audit.record(deed)).rejects.toThrow('away');
  });
});
