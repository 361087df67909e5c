import { GAP_CAUSES } from './items';
import { RETRIED_CAUSES } from './retry';

describe('what a retry takes up again', () => {
  it('is what a further try may fill, and nothing that the network or the owner decided', () => {
    expect([...RETRIED_CAUSES].sort()).toEqual(['dead-lettered', 'gave-up', 'partial', 'unreadable']);
    const left = GAP_CAUSES.filter((cause) => !RETRIED_CAUSES.includes(cause));
    expect([...left].sort()).toEqual([
      ...['banned', 'deleted', 'hidden', 'limit-reached', 'private', 'unknown', 'withdrawn'],
    ]);
  });
});
