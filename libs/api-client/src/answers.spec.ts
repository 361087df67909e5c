import { answerOf, insistOnSuccess, UnexpectedAnswer } from './answers';

const problem = {
  type: 'https://sociograph.dev/problems/invalid-input',
  title: 'The request is not valid',
  status: 400,
  detail: 'The request is not valid.',
  code: 'REQUEST.INVALID',
  instance: 'c-1',
  errors: [{ field: 'depth', message: 'must be at most 32' }, { nothing: true }],
};

describe('an answer', () => {
  it('is its JSON when it is good, and nothing where it has no body', async () => {
    expect(await answerOf(new Response('{"a":1}'), 'x')).toEqual({ a: 1 });
    expect(await answerOf(new Response(null, { status: 204 }), 'x')).toBeUndefined();
  });

  it('that reports a problem is one sentence that names the fields', async () => {
    const failed = answerOf(new Response(JSON.stringify(problem), { status: 400 }), 'POST /v1/imports');
    const error: UnexpectedAnswer = await failed.then(
      () => fail('it is no success'),
      (thrown: UnexpectedAnswer) => thrown,
    );
    expect(error.sentence).toBe('The request is not valid. (depth must be at most 32)');
    expect(error.problem).toEqual({
      title: problem.title,
      detail: problem.detail,
      code: 'REQUEST.INVALID',
      instance: 'c-1',
      errors: [problem.errors[0]],
    });
  });

  it.each([
    [
      '{"message":"no Route matched with those values"}',
      'GET /x answered 404: no Route matched with those values',
    ],
    ['<html>', 'GET /x answered 404'],
    ['null', 'GET /x answered 404'],
  ])('of somebody else (%s) is told with its status', (body, sentence) => {
    const answer = new UnexpectedAnswer(404, 'GET /x', body);
    expect(answer.sentence).toBe(sentence);
    expect(answer.problem).toBeUndefined();
  });

  it('says when to try again, in seconds or as a date', async () => {
    const after = async (value?: string): Promise<number | undefined> => {
      const headers: Record<string, string> = value === undefined ? {} : { 'retry-after': value };
      return insistOnSuccess(new Response('', { status: 503, headers }), 'x').then(
        () => fail('it is no success'),
        (error: UnexpectedAnswer) => error.retryAfterMs,
      );
    };
    expect(await after('2')).toBe(2000);
    expect(await after(new Date(Date.now() - 5000).toUTCString())).toBe(0);
    expect(await after('soon')).toBeUndefined();
    expect(await after()).toBeUndefined();
  });
});

function fail(why: string): never {
  throw new Error(why);
}
