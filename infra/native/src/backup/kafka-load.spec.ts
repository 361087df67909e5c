import { fillerOf } from './kafka-load';

describe('a filler', () => {
  it('of graph.changes is a marker that says nothing, since a tombstone there would end somebody', () => {
    const { key, value, headers } = fillerOf('sociograph.graph.changes.v1', 4);
    expect(key).toBe('marker:restored');
    expect(value).toBe('{"partition":4}');
    expect(headers).toMatchObject({
      ce_specversion: '1.0',
      ce_type: 'sociograph.graph.input-marked.v1',
      'content-type': 'application/json',
    });
    expect(headers).not.toHaveProperty('source');
  });

  it('elsewhere is a tombstone of a key that nobody has', () => {
    expect(fillerOf('sociograph.graph.suppressions.v1', 0)).toEqual({ key: 'restored', value: null });
  });
});
