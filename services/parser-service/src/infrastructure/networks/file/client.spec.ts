import { aCallContent } from '../../../../test/builders';
import type { ProfileField } from '../../../domain/import-scope';
import { FileNetwork } from './client';

const network = new FileNetwork();

function read(
  kind: 'names' | 'profiles' | 'lists',
  people: string[],
  answer: unknown,
  fields: ProfileField[] = [],
) {
  const content = aCallContent(kind, people);
  const reading = network.read(
    { ...content, scope: { ...content.scope, fields } },
    200,
    JSON.stringify(answer),
  );
  if (reading.kind !== 'read') throw new Error(reading.kind);
  return Object.fromEntries(reading.outcomes);
}

describe('the network of files', () => {
  it('serves every graph from files, and takes ids as they are', () => {
    expect(['file', 'file-a', 'files', 'vk'].map((name) => network.serves(name))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(['107', 'ada-1', '_x', '-1', '@everybody', 'a b', ''].map((id) => network.subject(id))).toEqual([
      ...['107', 'ada-1', '_x', undefined, undefined, undefined, undefined],
    ]);
  });

  it('asks for rows of the uploads of the import', () => {
    const content = aCallContent('names', ['@everybody']);
    const scope = { ...content.scope, files: { friendships: 'f' } };
    expect(network.request({ ...content, scope, cursors: { '@everybody': 'n5' } })).toMatchObject({
      path: '/names',
      body: JSON.stringify({ files: { friendships: 'f' }, people: ['@everybody'], after: 'n5' }),
    });
    expect(network.methods(content)).toEqual({ 'file.names': 1 });
  });

  it('meets everybody at no distance, page by page', () => {
    const met = [{ person: '1', steps: 0 }];
    expect(read('names', ['@everybody'], { people: ['1'], next: '1' })).toEqual({
      '@everybody': { kind: 'seen', observations: [], met, rest: { kind: 'more', cursor: '1' } },
    });
    expect(read('names', ['@everybody'], { people: ['1'], next: null })).toEqual({
      '@everybody': { kind: 'seen', observations: [], met, rest: { kind: 'none' } },
    });
  });

  it('keeps of a profile what the import asks for', () => {
    const found = [
      ['1', { firstName: 'Ada', city: 'London', sex: 'female', closed: true }] as const,
      ['2', {}],
    ];
    expect(read('profiles', ['1', '2', '3'], { found }, ['city', 'country'])).toEqual({
      1: {
        kind: 'profile',
        state: 'active',
        profile: { firstName: 'Ada', lastName: '', closed: true, city: 'London' },
      },
      2: { kind: 'profile', state: 'active', profile: { firstName: '', lastName: '' } },
      3: { kind: 'absent', cause: 'unknown' },
    });
  });

  it('gives of a list what a record may hold, and says how long it is', () => {
    const long = Array.from({ length: 20_001 }, (_, n) => `p${n}`);
    const found = [
      ['1', '2,3'],
      ['2', ''],
      ['4', long.join(',')],
    ];
    const outcomes = read('lists', ['1', '2', '3', '4'], { found });
    expect([outcomes['1'], outcomes['2'], outcomes['3']]).toEqual([
      { kind: 'list', friendIds: ['2', '3'], total: 2 },
      { kind: 'list', friendIds: [], total: 0 },
      { kind: 'absent', cause: 'unknown' },
    ]);
    expect(outcomes['4']).toEqual({ kind: 'list', friendIds: long.slice(0, 20_000), total: 20_001 });
  });

  it('gives no more ids than the bytes of a record allow', () => {
    const ids = Array.from({ length: 6_000 }, (_, n) => String(n).padStart(64, 'x'));
    const { 1: list } = read('lists', ['1'], { found: [['1', ids.join(',')]] });
    expect(list).toEqual({ kind: 'list', friendIds: ids.slice(0, 5_970), total: 6_000 });
    const { 1: fits } = read('lists', ['1'], { found: [['1', ids.slice(0, 5_970).join(',')]] });
    expect(fits).toEqual({ kind: 'list', friendIds: ids.slice(0, 5_970), total: 5_970 });
  });

  it('takes any word for an id, those of the language included', () => {
    const found = [
      ['__proto__', 'constructor'],
      ['constructor', '__proto__'],
    ];
    const outcomes = network.read(
      aCallContent('lists', ['__proto__', 'constructor', 'toString']),
      200,
      JSON.stringify({ found }),
    );
    expect(outcomes.kind === 'read' && [...outcomes.outcomes.values()]).toEqual([
      { kind: 'list', friendIds: ['constructor'], total: 1 },
      { kind: 'list', friendIds: ['__proto__'], total: 1 },
      { kind: 'absent', cause: 'unknown' },
    ]);
  });

  it('tries again when an upload is gone, and says so', () => {
    expect(network.read(aCallContent('lists', ['1']), 410, '{}')).toMatchObject({
      ...{ kind: 'failed', blame: 'item', cause: 'an upload that the import reads is no longer kept' },
    });
    expect(network.read(aCallContent('lists', ['1']), 404, '{}')).toMatchObject({ cause: 'status 404' });
  });
});
