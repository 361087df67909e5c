import { encodePositions, TOPICS } from '@sociograph/contracts';
import type { SourcePositions } from '../domain/ports';
import { InputProgress } from '../domain/query-ports';
import { AwaitPosition, POSITION_WAIT_MS } from './await-position';

const USERS = TOPICS.users.name;
const CHANGES = TOPICS.graphChanges.name;

class KnownProgress extends InputProgress {
  readonly waited: { wanted: SourcePositions; timeoutMs: number }[] = [];
  ends: SourcePositions = { [USERS]: { '0': 9 }, [CHANGES]: { '0': 4 } };
  comes = true;

  reached() {
    return { positions: { [USERS]: { '0': 5 } }, at: 77 };
  }

  async waitFor(wanted: SourcePositions, timeoutMs: number): Promise<boolean> {
    this.waited.push({ wanted, timeoutMs });
    return this.comes;
  }

  async beyond(wanted: SourcePositions): Promise<boolean> {
    return Object.entries(wanted).some(([topic, partitions]) =>
      Object.entries(partitions).some(([partition, offset]) => offset > (this.ends[topic]?.[partition] ?? 0)),
    );
  }
}

describe('a reader that asks for a position', () => {
  const freshness = { appliedUpTo: encodePositions({ [USERS]: { '0': 5 } }), at: 77 };
  const setUp = () => {
    const progress = new KnownProgress();
    const ask = (positions?: SourcePositions) =>
      new AwaitPosition(progress).execute(positions && encodePositions(positions));
    return { progress, ask };
  };

  it('hears what the graph includes, and waits for nothing that it has', async () => {
    const { progress, ask } = setUp();
    expect(await ask()).toEqual(freshness);
    expect(await ask({ [USERS]: { '0': 5 } })).toEqual(freshness);
    expect(await ask({})).toEqual(freshness);
    expect(progress.waited).toEqual([]);
  });

  it('waits for what is written and not stored yet, five seconds at most', async () => {
    const { progress, ask } = setUp();
    expect(await ask({ [USERS]: { '0': 6 } })).toEqual(freshness);
    expect(progress.waited).toEqual([{ wanted: { [USERS]: { '0': 6 } }, timeoutMs: 5_000 }]);
    expect(POSITION_WAIT_MS).toBe(5_000);
    progress.comes = false;
    await expect(ask({ [USERS]: { '0': 9 } })).rejects.toMatchObject({
      code: 'GRAPH.POSITION_NOT_REACHED',
      kind: 'unavailable',
      retryAfterSeconds: 1,
    });
  });

  it('need not wait for the change log: what is in it was stored before', async () => {
    const { progress, ask } = setUp();
    await ask({ [CHANGES]: { '0': 4 }, [USERS]: { '0': 5 } });
    expect(progress.waited).toEqual([{ wanted: { [USERS]: { '0': 5 } }, timeoutMs: 5_000 }]);
    await expect(ask({ [CHANGES]: { '0': 5 } })).rejects.toMatchObject({ code: 'GRAPH.POSITION_BEYOND_END' });
  });

  it('is refused a position beyond the end of a log, and a token that is none', async () => {
    const { progress, ask } = setUp();
    const fields = [{ field: 'min-position', message: 'is beyond the end of the log' }];
    await expect(ask({ [USERS]: { '0': 10 } })).rejects.toMatchObject({ kind: 'unprocessable', fields });
    const malformed = {
      code: 'GRAPH.POSITION_MALFORMED',
      kind: 'invalid-input',
      fields: [{ field: 'min-position', message: 'is not a position token' }],
    };
    await expect(ask({ [TOPICS.views.name]: { '0': 1 } })).rejects.toMatchObject(malformed);
    await expect(new AwaitPosition(progress).execute('!')).rejects.toMatchObject(malformed);
    expect(progress.waited).toEqual([]);
  });
});
