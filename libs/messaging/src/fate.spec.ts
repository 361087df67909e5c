import { DomainError, type ErrorKind } from '@sociograph/kernel';
import { batchFateOf, describeFailure, fateOf } from './fate';

const failure = (kind: ErrorKind): DomainError =>
  new DomainError({ code: 'SPEC.FAILED', kind, message: 'a sentence' });

describe('the fate of a message', () => {
  it.each<[ErrorKind, string, string]>([
    ['invalid-input', 'dead', 'poison'],
    ['unprocessable', 'dead', 'poison'],
    ['not-found', 'dead', 'poison'],
    ['conflict', 'retry', 'poison'],
    ['precondition-failed', 'ack', 'poison'],
    ['unauthenticated', 'dead', 'poison'],
    ['forbidden', 'dead', 'poison'],
    ['too-many', 'retry', 'retry'],
    ['unavailable', 'retry', 'retry'],
    ['bug', 'dead', 'poison'],
  ])('after a failure of kind %s: a task is %s, a batch %s', (kind, task, batch) => {
    expect(fateOf(failure(kind))).toBe(task);
    expect(batchFateOf(failure(kind))).toBe(batch);
  });

  it('after an unclassified error a task is retried and a batch is searched for the record to blame', () => {
    expect(fateOf(new TypeError('x'))).toBe('retry');
    expect(fateOf('thrown text')).toBe('retry');
    expect(batchFateOf(new TypeError('x'))).toBe('poison');
  });
});

describe('describeFailure', () => {
  it('names the code of a DomainError, and cuts the sentence at 256 characters', () => {
    expect(describeFailure(failure('bug'))).toEqual({ code: 'SPEC.FAILED', reason: 'a sentence' });
    expect(describeFailure(new TypeError('x'.repeat(300)))).toEqual({
      code: 'UNEXPECTED',
      reason: 'x'.repeat(256),
    });
    expect(describeFailure('thrown text')).toEqual({ code: 'UNEXPECTED', reason: 'thrown text' });
  });
});
