import { quotaUsed } from './quota';

const stats = (served: number, seconds: number) => ({
  totals: { served, refused: 0, overBudget: 0, seconds },
});

describe('the share of the quota', () => {
  it('is calls served over what the keys allow from the first to the last call', () => {
    expect(quotaUsed(stats(54, 1), 60)).toBeCloseTo(0.9);
  });

  it('is unknown before two calls', () => {
    expect(quotaUsed(stats(0, 0), 60)).toBeUndefined();
    expect(quotaUsed(stats(1, 0), 60)).toBeUndefined();
  });
});
