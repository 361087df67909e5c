import { aKey, vk } from '../../test/builders';
import type { KeyExplanation, QuotaLedger } from '../domain/quota-ledger';
import { ChoiceExplainer } from './explain-choice';

function setUp(keys: Partial<KeyExplanation>[]) {
  const asked: Parameters<QuotaLedger['explain']>[0][] = [];
  const explainer = new ChoiceExplainer(
    { leasableBy: (workspace, network) => [aKey(`${workspace}-${network}-1`), aKey('k2')] },
    {
      explain: async (request) => {
        asked.push(request);
        return { poolNow: 1000, keys: keys.map((key) => ({ keyId: '', weight: 1, usedInDay: 0, ...key })) };
      },
    },
    (network) => (network === 'vk' ? vk() : undefined),
  );
  const question = {
    workspaceId: 'demo',
    network: 'vk',
    methods: { 'friends.get': 25 },
    egress: 'home',
    limit: 50,
  };
  return { asked, explainer, question };
}

describe('explaining the choice of a key', () => {
  it('asks about the keys that the workspace may lease', async () => {
    const { asked, explainer, question } = setUp([{ keyId: 'k2' }]);
    expect(await explainer.explain(question)).toEqual({
      poolNow: 1000,
      known: 1,
      eligible: 1,
      keys: [{ keyId: 'k2', weight: 1, usedInDay: 0 }],
    });
    expect(asked).toEqual([
      {
        workspaceId: 'demo',
        rules: vk(),
        methods: { 'friends.get': 25 },
        calls: 1,
        egress: 'home',
        keyIds: ['demo-vk-1', 'k2'],
      },
    ]);
    await explainer.explain({ ...question, keyId: 'k2' });
    expect(asked[1]?.keyIds).toEqual(['k2']);
  });

  it('names the first to be taken foremost, then those that come back soonest', async () => {
    const { explainer, question } = setUp([
      { keyId: 'invalid', reason: 'invalid' },
      { keyId: 'later', reason: 'resting', untilAt: 9000 },
      { keyId: 'sooner', reason: 'resting', untilAt: 2000 },
      { keyId: 'second', nextSlotAt: 1500 },
      { keyId: 'b', nextSlotAt: 1100 },
      { keyId: 'a', nextSlotAt: 1100 },
    ]);
    const all = await explainer.explain(question);
    expect(all).toMatchObject({ known: 6, eligible: 3 });
    expect(all.keys.map(({ keyId }) => keyId)).toEqual(['a', 'b', 'second', 'sooner', 'later', 'invalid']);
    const some = await explainer.explain({ ...question, limit: 2 });
    expect(some).toMatchObject({ known: 6, eligible: 3 });
    expect(some.keys.map(({ keyId }) => keyId)).toEqual(['a', 'b']);
  });

  it('knows no other networks', async () => {
    const { explainer, question } = setUp([]);
    await expect(explainer.explain({ ...question, network: 'ok' })).rejects.toMatchObject({
      fields: [{ field: 'network', message: 'is not a network that the pool knows' }],
    });
  });
});
