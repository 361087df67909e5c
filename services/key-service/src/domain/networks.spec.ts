import { kindsFor, NETWORK_NAMES, type NetworkRules, rulesOf, rulesWith, withTiming } from './networks';

const vk = rulesOf('vk') as NetworkRules;

describe('the rules of networks', () => {
  it('knows VK and nothing that was never declared', () => {
    expect(NETWORK_NAMES).toEqual(['vk']);
    expect(rulesOf('facebook')).toBeUndefined();
  });

  it('reads the limit of VK in the strictest way', () => {
    expect(vk).toMatchObject({
      windowKind: 'sliding',
      windowAlignment: 'clock',
      windowMs: 1000,
      marginMs: 110,
      slackMs: 10,
      horizonMs: 120,
    });
    expect(vk.quotas).toEqual({ user: 3, service: 3, community: 20 });
  });

  it.each([
    [['users.get'], ['user', 'service', 'community']],
    [['execute'], ['user', 'service', 'community']],
    [['friends.get'], ['user', 'service']],
    [
      ['users.get', 'friends.get'],
      ['user', 'service'],
    ],
    [['wall.get'], ['user', 'service']],
    [['groups.get'], ['user', 'service']],
    [['groups.getMembers'], ['user', 'service', 'community']],
    [['messages.getHistory'], ['user']],
    [['users.get', 'messages.getHistory'], ['user']],
    [[], ['user', 'service', 'community']],
  ])('lets %j be called by %j', (methods, kinds) => {
    expect(kindsFor(vk, methods)).toEqual(kinds);
  });

  it('takes other figures and leaves the declared ones alone', () => {
    expect(withTiming(vk, { marginMs: 60, slackMs: 5 })).toEqual({ ...vk, marginMs: 60, slackMs: 5 });
    expect(vk.marginMs).toBe(110);
  });

  it('makes the rules of a network once', () => {
    const of = rulesWith({ marginMs: 60, slackMs: 5, windowKind: 'fixed', windowAlignment: 'first-call' });
    expect(of('vk')).toMatchObject({ marginMs: 60, slackMs: 5, windowKind: 'fixed', horizonMs: 120 });
    expect(of('vk')).toBe(of('vk'));
    expect(of('facebook')).toBeUndefined();
  });
});
