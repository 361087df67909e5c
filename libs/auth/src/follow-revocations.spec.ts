import { FollowedRevocations } from './follow-revocations';
import type { Revocation } from './revocation-log';
import { RedisLimits } from './workspace-limits';

type Told = Omit<Revocation, 'at'> & { at?: number };

function followed(pages: (Told[] | Error)[], now = { ms: 0 }) {
  const asked: string[] = [];
  const logged: string[] = [];
  const revocations = new FollowedRevocations({
    read: async (place) => {
      asked.push(place);
      const page = pages.shift() ?? [];
      if (page instanceof Error) throw page;
      const revocations = page.map((told, index) => ({ at: index, ...told }));
      return { revocations, place: page.length === 0 ? place : String(Number(place) + page.length) };
    },
    clock: { nowMs: () => now.ms, monotonicMs: () => now.ms },
    logger: {
      warn: ((_: object, sentence: string) => void logged.push(sentence)) as never,
      info: ((_: object, sentence: string) => void logged.push(sentence)) as never,
    },
  });
  return { revocations, asked, logged };
}

describe('revocations that are followed', () => {
  it('hold from the next look on, and the newest of a subject holds, also when it is lower', async () => {
    const { revocations, asked } = followed([
      [{ subject: 'ada', earliestIat: 9_000 }],
      [
        { subject: 'ada', earliestIat: 101 },
        { subject: 'bob', earliestIat: 7 },
      ],
    ]);
    await revocations.poll();
    expect(await revocations.earliestAcceptedIat('ada')).toBe(9_000);
    expect(await revocations.earliestAcceptedIat('bob')).toBeUndefined();
    await revocations.poll();
    expect(await revocations.earliestAcceptedIat('ada')).toBe(101);
    expect(await revocations.earliestAcceptedIat('bob')).toBe(7);
    expect(asked).toEqual(['0', '1']);
  });

  it('are not undone by an older decision that is heard later', async () => {
    const { revocations } = followed([
      [
        { subject: 'ada', earliestIat: 101, at: 2 },
        { subject: 'ada', earliestIat: 9_000, at: 1 },
      ],
      [{ subject: 'ada', earliestIat: 102, at: 2 }],
    ]);
    await revocations.poll();
    expect(await revocations.earliestAcceptedIat('ada')).toBe(101);
    await revocations.poll();
    expect(await revocations.earliestAcceptedIat('ada')).toBe(102);
  });

  it('read on while pages are full', async () => {
    const page = Array.from({ length: 1_000 }, (_, n) => ({ subject: `s${n}`, earliestIat: n + 1 }));
    const { revocations, asked } = followed([page, [{ subject: 'last', earliestIat: 5 }]]);
    await revocations.poll();
    expect(asked).toEqual(['0', '1000']);
    expect(await revocations.earliestAcceptedIat('s999')).toBe(1_000);
    expect(await revocations.earliestAcceptedIat('last')).toBe(5);
  });

  it('keep what is known while Redis is away, and log it once each way', async () => {
    const away = new Error('away');
    const page = [{ subject: 'ada', earliestIat: 1 }];
    const { revocations, asked, logged } = followed([page, [], away, away, []]);
    for (let look = 0; look < 5; look += 1) await revocations.poll();
    expect(await revocations.earliestAcceptedIat('ada')).toBe(1);
    // What comes back is read from its beginning.
    expect(asked).toEqual(['0', '1', '1', '0', '0']);
    expect(logged).toEqual(['revocations cannot be read', 'revocations are read again']);
  });

  it('are forgotten after a day', async () => {
    const now = { ms: 0 };
    const { revocations } = followed([[{ subject: 'ada', earliestIat: 1 }], [], []], now);
    await revocations.poll();
    now.ms = 86_400_000;
    await revocations.poll();
    expect(await revocations.earliestAcceptedIat('ada')).toBe(1);
    now.ms += 1;
    await revocations.poll();
    expect(await revocations.earliestAcceptedIat('ada')).toBeUndefined();
  });
});

describe('limits of workspaces', () => {
  const limits = (answers: (string | null | Error)[], now = { ms: 0 }) => {
    const asked: unknown[][] = [];
    const hget = async (...words: unknown[]): Promise<string | null> => {
      asked.push(words);
      const answer = answers.shift() ?? null;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    return { of: new RedisLimits({ hget } as never, () => now.ms), asked };
  };

  it('are those that were set, else the default, and are asked for again after two seconds', async () => {
    const now = { ms: 0 };
    const { of, asked } = limits(['{"keys":3}', null], now);
    expect(await of.limitOf('w', 'keys', 10)).toBe(3);
    now.ms = 1_999;
    expect(await of.limitOf('w', 'exports', 10)).toBe(10);
    expect(asked).toEqual([['identity:quotas', 'w']]);
    now.ms = 2_000;
    expect(await of.limitOf('w', 'keys', 10)).toBe(10);
  });

  it('stay what they were while Redis is away', async () => {
    const now = { ms: 0 };
    const { of } = limits(['{"keys":0}', new Error('away')], now);
    expect(await of.limitOf('w', 'keys', 10)).toBe(0);
    now.ms = 5_000;
    expect(await of.limitOf('w', 'keys', 10)).toBe(0);
  });

  it('know what another service told of its use, and none of what it did not tell', async () => {
    const { of, asked } = limits([
      '{"people":7}',
      '{"exports":1}',
      null,
      new Error('away'),
      '{"people":"7"}',
    ]);
    expect(await of.useOf('read-model-projector', 'w', 'people')).toBe(7);
    expect(asked).toEqual([['identity:use:read-model-projector', 'w']]);
    expect(await of.useOf('read-model-projector', 'w', 'people')).toBe(0);
    expect(await of.useOf('read-model-projector', 'w', 'people')).toBe(0);
    expect(await of.useOf('read-model-projector', 'w', 'people')).toBeUndefined();
    expect(await of.useOf('read-model-projector', 'w', 'people')).toBeUndefined();
  });

  it.each(['{"keys":-1}', '{"keys":"3"}', '{"keys":1.5}'])(
    'that make no sense (%s) do not count',
    async (text) => {
      expect(await limits([text]).of.limitOf('w', 'keys', 10)).toBe(10);
    },
  );
});
