import { changedAnswer } from './changed-answer';

const ANSWER = JSON.stringify({
  response: [{ count: 1, items: [{ id: 7, name: 'a', open: true }] }, false, null],
});

describe('an answer as if the API had changed', () => {
  it.each([
    ['without', 'response.*.count', '{"response":[{"items":[{"id":7,"name":"a","open":true}]},false,null]}'],
    [
      'retyped',
      'response.0.count',
      '{"response":[{"count":"n1","items":[{"id":7,"name":"a","open":true}]},false,null]}',
    ],
    [
      'retyped',
      'response.*.items.*.name',
      '{"response":[{"count":1,"items":[{"id":7,"name":{"text":"a"},"open":true}]},false,null]}',
    ],
    [
      'retyped',
      'response.*.items.0.open',
      '{"response":[{"count":1,"items":[{"id":7,"name":"a","open":"yes"}]},false,null]}',
    ],
    [
      'retyped',
      'response.0',
      '{"response":[[{"count":1,"items":[{"id":7,"name":"a","open":true}]}],false,null]}',
    ],
    ['without', 'response', '{}'],
    ['without', 'nothing.here', ANSWER],
    ['without', 'response.*.items.*.id.more', ANSWER],
  ] as const)('%s %s', (kind, path, expected) => {
    expect(changedAnswer(ANSWER, kind, path)).toBe(expected);
  });
});
