import { inspect } from 'node:util';
import {
  compareStamps,
  DomainError,
  isDomainError,
  isWorkspaceId,
  Secret,
  SystemClock,
  TimeOrderedIds,
} from './index';

describe('Secret', () => {
  const secret = new Secret('vk1.a.unique-token');

  it('gives its value only to who asks for it', () => {
    expect(secret.reveal()).toBe('vk1.a.unique-token');
  });

  it.each([
    ['JSON', () => JSON.stringify({ secret })],
    ['a template', () => `${secret.toString()}`],
    ['inspect', () => inspect({ nested: { secret } }, { showHidden: true, depth: 9 })],
    ['the keys of the object', () => Object.entries(secret).join()],
  ])('does not show its value in %s', (_where, print) => {
    expect(print()).not.toContain('unique-token');
  });
});

describe('DomainError', () => {
  const cause = new Error('socket closed');
  const error = new DomainError({
    code: 'A.B',
    kind: 'unavailable',
    message: 'Try later',
    retryAfterSeconds: 2,
    cause,
  });

  it('keeps code, kind, facts and cause', () => {
    expect(error).toMatchObject({
      code: 'A.B',
      kind: 'unavailable',
      message: 'Try later',
      retryAfterSeconds: 2,
      cause,
      facts: {},
      fields: [],
    });
  });

  it('is told apart from other errors', () => {
    expect([isDomainError(error), isDomainError(cause), isDomainError({ code: 'A.B', kind: 'bug' })]).toEqual(
      [true, false, false],
    );
  });
});

describe('compareStamps', () => {
  it('orders by time first, by fence among equals', () => {
    const older = { observedAt: 10, fence: 9 };
    const newer = { observedAt: 11, fence: 1 };
    const tied = { observedAt: 11, fence: 2 };
    expect([tied, older, newer].sort(compareStamps)).toEqual([older, newer, tied]);
    expect(compareStamps(newer, { ...newer })).toBe(0);
  });
});

describe('isWorkspaceId', () => {
  it.each([
    ['demo', true],
    ['a'.repeat(63), true],
    ['a'.repeat(64), false],
    ['', false],
    ['-demo', false],
    ['Demo', false],
    ['de:mo', false],
    ['de.mo', false],
  ])('%s -> %s', (value, expected) => {
    expect(isWorkspaceId(value)).toBe(expected);
  });
});

describe('TimeOrderedIds', () => {
  it('makes distinct UUIDs of version 7 that bear the present time', () => {
    const ids = new TimeOrderedIds();
    const before = new SystemClock().nowMs();
    const made = Array.from({ length: 1000 }, () => ids.next());
    expect(new Set(made).size).toBe(1000);
    for (const id of made) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      const ms = parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
      expect(ms).toBeGreaterThanOrEqual(before);
      expect(ms).toBeLessThanOrEqual(new SystemClock().nowMs());
    }
  });
});
