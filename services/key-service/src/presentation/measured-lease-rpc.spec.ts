import { Metrics } from '@sociograph/observability';
import { keyServiceMetrics } from '../metrics';
import { MeasuredLeaseRpc } from './measured-lease-rpc';

const caller = { userId: 'parser-service', replyTo: 'r' };

async function measured(request: string, reply: string | Error) {
  const registry = new Metrics({ service: 'key-service', instance: '0', processMetrics: false });
  const metrics = keyServiceMetrics(registry);
  let now = 0;
  const rpc = new MeasuredLeaseRpc(
    {
      handle: async () => {
        now += 15;
        if (reply instanceof Error) throw reply;
        return Buffer.from(reply);
      },
    },
    metrics,
    () => now,
  );
  const answer = await rpc.handle(Buffer.from(request), caller).catch((error: unknown) => error);
  const { values } = await metrics.leaseSeconds.get();
  const seen = values.filter(({ metricName, value }) => metricName?.endsWith('_sum') && value > 0);
  const errors = (await metrics.workerErrors.get()).values.map(({ labels, value }) => [labels.work, value]);
  return { answer, seen: seen.map(({ labels, value }) => [labels.kind, labels.outcome, value]), errors };
}

describe('the measured lease protocol', () => {
  it.each([
    ['{"kind":"lease","session"', '{"kind":"reply","body":"{\\"kind\\":\\"granted\\",', 'lease', 'granted'],
    ['{"kind":"lease","session"', '{"kind":"reply","body":"{\\"kind\\":\\"denied\\",', 'lease', 'denied'],
    [
      '{"kind":"settle","session"',
      '{"kind":"reply","body":"{\\"requestId\\":\\"denied',
      'settle',
      'answered',
    ],
    ['{"kind":"path","session"', '{"kind":"refused","reason"', 'path', 'refused'],
    ['{"kind":"capacity"', '{"kind":"reply","body":"', 'capacity', 'answered'],
    ['{"kind":"hello"', '{"kind":"welcome"', 'hello', 'answered'],
    ['{"kind":"bye"', '{"kind":"reply"', 'bye', 'answered'],
    ['{"kind":"leases"', '{"kind":"refused"', 'malformed', 'refused'],
    ['', '{"kind":"refused"', 'malformed', 'refused'],
  ])('labels %s answered by %s as %s %s', async (request, reply, kind, outcome) => {
    const { answer, seen } = await measured(request, reply);
    expect((answer as Buffer).toString()).toBe(reply);
    expect(seen).toEqual([[kind, outcome, 0.015]]);
  });

  it('counts what failed for a reason of ours and passes it on', async () => {
    const fault = new Error('broken');
    expect(await measured('{"kind":"lease"', fault)).toEqual({
      answer: fault,
      seen: [],
      errors: [['request', 1]],
    });
  });
});
