import { aKey } from '../../test/builders';
import { keyUnknown } from '../domain/errors';
import { FinishReplacements } from './finish-replacements';

function setUp(leases: Record<string, unknown[]>, fault?: Error) {
  const ended: string[] = [];
  const finish = new FinishReplacements(
    { retiring: () => [aKey('k1'), aKey('k2', { workspaceId: 'other' as never })] },
    { leasesOf: async (id) => leases[id] ?? [] },
    {
      finishReplacement: async (workspaceId, id) => {
        if (fault !== undefined && id === 'k1') throw fault;
        ended.push(`${workspaceId} ${id}`);
        return aKey(id);
      },
    },
  );
  return { finish, ended };
}

describe('ending keys that have a successor', () => {
  it('waits for the last of their leases', async () => {
    const leases: Record<string, unknown[]> = { k1: [{}] };
    const { finish, ended } = setUp(leases);
    await finish.run();
    expect(ended).toEqual(['other k2']);
    leases['k1'] = [];
    await finish.run();
    expect(ended).toEqual(['other k2', 'demo k1', 'other k2']);
  });

  it('takes a key that was deleted meanwhile as ended', async () => {
    const { finish, ended } = setUp({}, keyUnknown());
    await finish.run();
    expect(ended).toEqual(['other k2']);
  });

  it('says what kept a key from being ended', async () => {
    const { finish } = setUp({}, new Error('away'));
    await expect(finish.run()).rejects.toThrow('away');
  });
});
