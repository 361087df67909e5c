import { aqlCatalogue } from './aql-catalogue';

describe('aqlCatalogue', () => {
  it('freezes its queries, and gives them their names', () => {
    const queries = aqlCatalogue({ one: { text: 'RETURN 1', batchSize: 5 } });
    expect(queries.one).toEqual({ text: 'RETURN 1', batchSize: 5, name: 'one' });
    expect(Object.isFrozen(queries)).toBe(true);
    expect(Object.isFrozen(queries.one)).toBe(true);
  });
});
