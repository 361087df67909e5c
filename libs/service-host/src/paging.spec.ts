import { HttpException } from '@nestjs/common';
import { DomainError, type ErrorKind } from '@sociograph/kernel';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from './paging';
import { httpStatusOf, problemOf } from './problem';

const place = z.tuple([z.string(), z.number()]);

describe('a cursor', () => {
  it('gives back the place it was made from', () => {
    const cursor = encodeCursor(['Zoë', 7]);
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(decodeCursor(cursor, place)).toEqual(['Zoë', 7]);
  });

  it.each(['AAAA', encodeCursor(['a']), encodeCursor({ a: 1 }), ''])(
    '%p is the fault of the caller',
    (cursor) => {
      expect(() => decodeCursor(cursor, place)).toThrow(
        expect.objectContaining({
          kind: 'invalid-input',
          fields: [{ field: 'cursor', message: 'must be the `next` of an earlier page' }],
        }),
      );
    },
  );
});

describe('a problem', () => {
  it.each<[ErrorKind, number, string]>([
    ['invalid-input', 400, 'invalid-input'],
    ['unauthenticated', 401, 'unauthenticated'],
    ['forbidden', 403, 'forbidden'],
    ['not-found', 404, 'not-found'],
    ['conflict', 409, 'conflict'],
    ['precondition-failed', 412, 'precondition-failed'],
    ['unprocessable', 422, 'unprocessable'],
    ['too-many', 429, 'too-many'],
    ['bug', 500, 'internal-error'],
    ['unavailable', 503, 'unavailable'],
  ])('of kind %s is answered with %d', (kind, status, slug) => {
    expect(httpStatusOf(kind)).toBe(status);
    const { problem } = problemOf(new DomainError({ code: 'A.B', kind, message: 'A sentence.' }));
    expect(problem).toMatchObject({ status, code: 'A.B', type: `https://sociograph.dev/problems/${slug}` });
    expect(problem.detail === 'A sentence.').toBe(kind !== 'bug');
  });

  it('says when to try again where that makes sense', () => {
    const of = (kind: ErrorKind, retryAfterSeconds?: number): number | undefined =>
      problemOf(
        new DomainError({
          code: 'A.B',
          kind,
          message: 'x',
          ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
        }),
      ).retryAfterSeconds;
    expect([of('unavailable'), of('too-many'), of('conflict'), of('conflict', 3)]).toEqual([
      1,
      1,
      undefined,
      3,
    ]);
  });

  it.each([
    [new HttpException('Gone away', 410), 410, 'REQUEST.INVALID', 'Gone away.'],
    [new HttpException('x', 404), 404, 'REQUEST.NOT_FOUND', 'Nothing is found at this address.'],
    [new HttpException('x', 405), 405, 'REQUEST.METHOD_NOT_ALLOWED', 'x.'],
    [new HttpException('x', 502), 500, 'SERVER.INTERNAL', undefined],
    ['a text', 500, 'SERVER.INTERNAL', undefined],
    [Object.assign(new Error('x'), { code: 'ETIMEDOUT' }), 503, 'SERVER.UNAVAILABLE', undefined],
    [Object.assign(new Error('x'), { code: 'EOTHER' }), 500, 'SERVER.INTERNAL', undefined],
  ])('of %p is %d %s', (error, status, code, detail) => {
    const { problem, unexpected } = problemOf(error);
    expect(problem).toMatchObject({ status, code, ...(detail === undefined ? {} : { detail }) });
    expect(unexpected).toBe(status >= 500);
  });
});
