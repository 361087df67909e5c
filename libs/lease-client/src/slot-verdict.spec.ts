import { KeyNews, slotVerdict, type SlotView, voidCauseOf } from './slot-verdict';

const lease = { keyId: 'k', grantedAt: 900, expiresAt: 2_000, generation: 3, wallAhead: 10 };
const slot = { notBefore: 1_000, notAfter: 1_004, lease };
const view = (changes: Partial<SlotView> = {}): SlotView => ({
  now: 1_000,
  generation: 3,
  wallAhead: 10,
  ...changes,
});

describe('the decision whether a slot may be sent now', () => {
  it.each([
    [999.9, 'wait'],
    [1_000, 'send'],
    [1_004, 'send'],
    [1_004.1, 'too-late'],
    [NaN, 'too-late'],
  ])('at %s says %s', (now, verdict) => {
    expect(slotVerdict(slot, view({ now }))).toBe(verdict);
  });

  it.each<[string, Partial<SlotView>]>([
    ['clock-contradicted', { generation: 4 }],
    ['suspended', { wallAhead: 60.1 }],
    ['key-state-changed', { news: { voidUpTo: 900, restNotedAt: -1, restingUntil: -1 } }],
    ['key-resting', { news: { voidUpTo: -1, restNotedAt: 900, restingUntil: 1_000.1 } }],
    ['lease-expired', { now: 2_000.1 }],
  ])('is over for a slot that is %s, also before its time', (cause, changes) => {
    expect(slotVerdict(slot, view(changes))).toBe(cause);
    if (changes.now === undefined) expect(slotVerdict(slot, view({ ...changes, now: 950 }))).toBe(cause);
  });

  it.each<[string, Partial<SlotView>]>([
    ['a wall clock that went back', { wallAhead: -1_000 }],
    ['a wall clock that ran ahead by 50 ms', { wallAhead: 60 }],
    ['a change before the grant', { news: { voidUpTo: 899.9, restNotedAt: -1, restingUntil: -1 } }],
    [
      'a rest that ends as the slot begins',
      { news: { voidUpTo: -1, restNotedAt: 950, restingUntil: 1_000 } },
    ],
    ['a rest noted before the grant', { news: { voidUpTo: -1, restNotedAt: 899.9, restingUntil: 9_000 } }],
  ])('is not moved by %s', (_name, changes) => {
    expect(slotVerdict(slot, view(changes))).toBe('send');
  });

  it('asks for a lease as a whole where no slot is named', () => {
    const news = { voidUpTo: -1, restNotedAt: 950, restingUntil: 1_500 };
    expect(voidCauseOf(lease, view({ news }))).toBeUndefined();
    expect(voidCauseOf(lease, view({ news }), 1_499)).toBe('key-resting');
    expect(voidCauseOf(lease, view({ now: 2_000 }))).toBeUndefined();
  });
});

describe('the news of keys', () => {
  it('knows nothing of a key that nothing was said of, nor of one that is active', () => {
    const news = new KeyNews();
    news.note({ keyId: 'k', state: 'active' }, 5);
    expect(news.of('k')).toBeUndefined();
  });

  it('keeps the end of the leases and the rest apart', () => {
    const news = new KeyNews();
    news.note({ keyId: 'k', state: 'paused' }, 5);
    news.note({ keyId: 'k', state: 'active', restingUntil: 90 }, 7);
    expect(news.of('k')).toEqual({ voidUpTo: 5, restNotedAt: 7, restingUntil: 90 });
    news.note({ keyId: 'k', state: 'active' }, 8);
    news.note({ keyId: 'k', state: 'invalid', restingUntil: 99 }, 9);
    expect(news.of('k')).toEqual({ voidUpTo: 9, restNotedAt: 7, restingUntil: 90 });
  });

  it('forgets the key that was heard of longest ago beyond ten thousand', () => {
    const news = new KeyNews();
    for (let key = 0; key < 10_000; key += 1) news.note({ keyId: `k${key}`, state: 'paused' }, key);
    news.note({ keyId: 'k0', state: 'deleted' }, 10_000);
    expect(news.of('k1')).toBeDefined();
    news.note({ keyId: 'new', state: 'paused' }, 10_001);
    expect([news.of('k0')?.voidUpTo, news.of('k1'), news.of('k2')?.voidUpTo]).toEqual([10_000, undefined, 2]);
  });
});
