import { RecordingPoolReport } from '../infrastructure/in-memory';
import { PoolChores } from './pool-chores';

describe('the chores of the pool', () => {
  it('are done in their order, and a failing one is told and keeps none of the others', async () => {
    const done: string[] = [];
    const report = new RecordingPoolReport();
    const gone = new Error('gone');
    const chores = new PoolChores(
      [
        { failure: 'first failed', run: async () => void done.push('first') },
        { failure: 'second failed', run: () => Promise.reject(gone) },
        { failure: 'third failed', run: () => void done.push('third') },
      ],
      report,
    );
    await chores.run();
    expect(done).toEqual(['first', 'third']);
    expect(report.failures).toEqual([['second failed', gone]]);
    await chores.run();
    expect(done).toEqual(['first', 'third', 'first', 'third']);
  });

  it('are not begun again before they ended', async () => {
    let begun = 0;
    let end: () => void = () => undefined;
    const run = (): Promise<void> => {
      begun += 1;
      return new Promise((resolve) => (end = resolve));
    };
    const chores = new PoolChores([{ failure: 'failed', run }], new RecordingPoolReport());
    const first = chores.run();
    await chores.run();
    expect(begun).toBe(1);
    end();
    await first;
    const second = chores.run();
    expect(begun).toBe(2);
    end();
    await second;
  });
});
