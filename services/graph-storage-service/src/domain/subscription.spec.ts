import { stamp } from '../../test/builders';
import { changeSubscription, type Subscription, type SubscriptionChange } from './subscription';

const head = { key: 'w.vk.1.groups.5', list: 'groups' as const, personId: '1', targetId: '5' };

function change(side: 'own' | 'members', at?: number): SubscriptionChange {
  return { ...head, side, assertion: at === undefined ? undefined : stamp(at) };
}

describe('a subscription', () => {
  it('begins with the first side that asserts it', () => {
    expect(changeSubscription(undefined, [change('members', 4)])).toEqual({
      ...head,
      members: stamp(4),
      since: 4,
    });
  });

  it('is older when the other side had seen it before', () => {
    const stored: Subscription = { ...head, own: stamp(7), since: 7 };
    expect(changeSubscription(stored, [change('members', 3)])).toEqual({
      ...head,
      own: stamp(7),
      members: stamp(3),
      since: 3,
    });
    expect(changeSubscription(stored, [change('members', 9)])?.since).toBe(7);
  });

  it('keeps what a side asserted first', () => {
    const stored: Subscription = { ...head, own: stamp(7), since: 7 };
    expect(changeSubscription(stored, [change('own', 9)])).toBe(stored);
  });

  it('lasts while a side asserts it', () => {
    const stored: Subscription = { ...head, own: stamp(7), members: stamp(8), since: 7 };
    const left = changeSubscription(stored, [change('own')]);
    expect(left).toEqual({ ...head, own: undefined, members: stamp(8), since: 7 });
    expect(changeSubscription(left, [change('own')])).toBe(left);
    expect(changeSubscription(left, [change('members')])).toBeUndefined();
    expect(changeSubscription({ ...head, own: stamp(1), since: 1 }, [change('own')])).toBeUndefined();
    expect(changeSubscription(undefined, [change('own')])).toBeUndefined();
    const other = changeSubscription(stored, [change('members')]);
    expect(other).toEqual({ ...head, own: stamp(7), members: undefined, since: 7 });
  });
});
