import type { Database } from 'arangojs';
import { removeFound } from './store-requests';

const conflict = { error: true, errorNum: 1200 };

/** A collection that refuses the first `refusals` removals of each key. */
function aStore(keys: string[], refusals: number) {
  const left = new Map(keys.map((key) => [key, refusals]));
  let asked = 0;
  const removeAll = async (given: string[]) => {
    asked += 1;
    return given.map((key) => {
      const before = left.get(key) ?? 0;
      if (before > 0) left.set(key, before - 1);
      else left.delete(key);
      return before > 0 ? conflict : { _key: key };
    });
  };
  const db = { collection: () => ({ removeAll }) } as unknown as Database;
  return { db, find: async () => [...left.keys()].slice(0, 2), left, asked: () => asked };
}

describe('removeFound', () => {
  it('asks again until nothing is found, page by page', async () => {
    const { db, find, left, asked } = aStore(['a', 'b', 'c'], 1);
    await removeFound(db, 'chunks', find);
    expect([left.size, asked()]).toEqual([0, 4]);
  });

  it('bears nine answers in a row that removed nothing, and gives up at the tenth', async () => {
    const patient = aStore(['a'], 9);
    await removeFound(patient.db, 'chunks', patient.find);
    expect(patient.left.size).toBe(0);
    const stuck = aStore(['a'], 10);
    await expect(removeFound(stuck.db, 'chunks', stuck.find)).rejects.toMatchObject({
      code: 'VIEWS.STORE_REFUSED',
      kind: 'unavailable',
      facts: { collection: 'chunks', documents: 1 },
    });
    expect(stuck.asked()).toBe(10);
  });
});
