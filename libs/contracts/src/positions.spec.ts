import { decodePositions, encodePositions, mergePositions, positionsCover } from './positions';
import { comparePersonIds, friendshipKey, recordKey, vertexKey } from './graph-keys';

describe('positions', () => {
  it('merge to the higher offset of each partition and change neither side', () => {
    const a = { users: { '0': 5, '1': 2 } };
    const b = { users: { '0': 3, '2': 9 }, lists: { '0': 1 } };
    expect(mergePositions(a, b)).toEqual({ users: { '0': 5, '1': 2, '2': 9 }, lists: { '0': 1 } });
    expect(a).toEqual({ users: { '0': 5, '1': 2 } });
  });

  it.each([
    [{ users: { '0': 5 } }, true],
    [{ users: { '0': 6 } }, true],
    [{ users: { '0': 4 } }, false],
    [{ users: { '1': 9 } }, false],
    [{}, false],
  ])('%j covers users 0:5 -> %s', (reached, expected) => {
    expect(positionsCover(reached, { users: { '0': 5 } })).toBe(expected);
  });

  it('cover nothing wanted, and an offset of zero that nobody reported', () => {
    expect(positionsCover({}, {})).toBe(true);
    expect(positionsCover({}, { users: { '0': 0 } })).toBe(true);
  });

  it('survive the token', () => {
    const positions = { 'sociograph.social.users.v1': { '0': 12, '5': 0 } };
    expect(decodePositions(encodePositions(positions))).toEqual(positions);
  });

  const token = (content: unknown) => Buffer.from(JSON.stringify(content)).toString('base64url');
  it.each([
    ['nothing', ''],
    ['not base64url', 'a+b='],
    ['not JSON', Buffer.from('{').toString('base64url')],
    ['another version', token({ v: 2, p: {} })],
    ['no positions', token({ v: 1 })],
    ['a list', token({ v: 1, p: [] })],
    ['a partition that is no number', token({ v: 1, p: { t: { x: 1 } } })],
    ['a negative offset', token({ v: 1, p: { t: { '0': -1 } } })],
    ['a fractional offset', token({ v: 1, p: { t: { '0': 1.5 } } })],
    ['an endless token', 'a'.repeat(8193)],
  ])('a token with %s is not one of ours', (_what, bad) => {
    expect(decodePositions(bad)).toBeUndefined();
  });
});

describe('keys of the graph', () => {
  it('order people like numbers when their ids are numbers', () => {
    expect(['100', '9', '99', '10'].sort(comparePersonIds)).toEqual(['9', '10', '99', '100']);
    expect(comparePersonIds('7', '7')).toBe(0);
  });

  it('give one friendship one key, whoever asserts it', () => {
    expect(friendshipKey('demo', 'vk', '107', '58')).toBe('demo.vk.58.107');
    expect(friendshipKey('demo', 'vk', '58', '107')).toBe('demo.vk.58.107');
  });

  it('name records and vertices', () => {
    expect(recordKey('demo', 'vk', 'user', '107')).toBe('demo:vk:user:107');
    expect(vertexKey('demo', 'vk', '107')).toBe('demo.vk.107');
  });
});
