import type { TopicOffsets } from 'kafkajs';
import { SharedCommits } from './shared-commits';

const at = (topic: string, partition: number, offset: string): TopicOffsets => ({
  topic,
  partitions: [{ partition, offset }],
});

describe('SharedCommits', () => {
  it('sends what several partitions commit in one turn as one request, each topic once', async () => {
    const requests: TopicOffsets[][] = [];
    const commits = new SharedCommits(async (topics) => void requests.push(topics));
    await Promise.all([
      commits.add([at('lists', 0, '4'), at('users', 0, '2')]),
      commits.add([at('users', 3, '7')]),
      commits.add([at('lists', 3, '9')]),
    ]);
    expect(requests).toEqual([
      [
        {
          topic: 'lists',
          partitions: [
            { partition: 0, offset: '4' },
            { partition: 3, offset: '9' },
          ],
        },
        {
          topic: 'users',
          partitions: [
            { partition: 0, offset: '2' },
            { partition: 3, offset: '7' },
          ],
        },
      ],
    ]);
    await commits.add([at('lists', 0, '5')]);
    expect(requests.slice(1)).toEqual([[at('lists', 0, '5')]]);
  });

  it('resolves only when the request is answered; what comes meanwhile goes out on its own', async () => {
    const answers: (() => void)[] = [];
    const commits = new SharedCommits(() => new Promise((resolve) => answers.push(resolve)));
    const done: string[] = [];
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    void commits.add([at('lists', 0, '1')]).then(() => done.push('first'));
    await turn();
    void commits.add([at('lists', 1, '1')]).then(() => done.push('second'));
    await turn();
    expect([answers.length, done]).toEqual([2, []]);
    answers[1]?.();
    await turn();
    expect(done).toEqual(['second']);
    answers[0]?.();
    await turn();
    expect(done).toEqual(['second', 'first']);
  });

  it('tells everybody whose offsets were in a request that it failed, and nobody else', async () => {
    const failure = new Error('another generation');
    const sent: number[] = [];
    const commits = new SharedCommits(async (topics) => {
      sent.push(topics.length);
      if (sent.length === 1) throw failure;
    });
    const both = [commits.add([at('lists', 0, '1')]), commits.add([at('users', 1, '1')])];
    expect((await Promise.allSettled(both)).map((end) => end.status === 'rejected' && end.reason)).toEqual([
      failure,
      failure,
    ]);
    await commits.add([at('lists', 0, '1')]);
    expect(sent).toEqual([2, 1]);
  });

  it('sends nothing for nothing', async () => {
    const send = jest.fn();
    await new SharedCommits(send).add([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(send).not.toHaveBeenCalled();
  });
});
