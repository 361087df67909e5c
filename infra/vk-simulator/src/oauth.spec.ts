import type { SimulatedKey } from './keys';
import { firstRefreshToken, OAuth } from './oauth';

const keys = ['user', 'user', 'service'].map((kind, index): SimulatedKey => {
  const name = `${kind}-${index}`;
  return { name, token: `t-${index}`, kind: kind as 'user', owner: null, perSecond: 3, bucket: name };
});

function setUp() {
  const rotated: [string, string][] = [];
  const oauth = new OAuth(7, keys, (...rotation) => rotated.push(rotation));
  const ask = (refreshToken: string, more: Record<string, string> = {}) => {
    const fields = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'app', state: 's' };
    const { status, body } = oauth.answer(new Map(Object.entries({ ...fields, ...more })));
    return { status, body: body as Record<string, unknown> };
  };
  return { oauth, rotated, ask, first: firstRefreshToken(7, keys[0] as SimulatedKey) };
}

describe('the token endpoint of the simulator', () => {
  it('gives a new pair for a refresh token, once', () => {
    const { ask, first, rotated, oauth } = setUp();
    const answer = ask(first);
    expect(answer).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', expires_in: 3600, state: 's' },
    });
    expect(rotated).toEqual([['user-0', answer.body['access_token']]]);
    expect(ask(first)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const next = ask(answer.body['refresh_token'] as string);
    expect(next.status).toBe(200);
    expect(next.body['access_token']).not.toBe(answer.body['access_token']);
    expect([oauth.refreshed, oauth.refused]).toEqual([2, 1]);
  });

  it('refuses what it does not know', () => {
    const { ask, first } = setUp();
    expect(ask('unknown').body).toMatchObject({ error: 'invalid_grant' });
    expect(ask(first, { grant_type: 'password' }).body).toMatchObject({ error: 'unsupported_grant_type' });
    expect(ask(first, { client_id: '' }).body).toMatchObject({ error: 'invalid_client' });
    expect(ask(firstRefreshToken(7, keys[2] as SimulatedKey)).status).toBe(400);
  });

  it('fails as it is told: without harm, for good, or with the pair gone', () => {
    const { oauth, ask, first, rotated } = setUp();
    oauth.setMode('unavailable');
    expect(ask(first)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    oauth.setMode('refuse');
    expect(ask(first).status).toBe(400);
    oauth.setMode('lost');
    expect(ask(first).status).toBe(0);
    expect(rotated).toHaveLength(1);
    oauth.setMode('usual');
    expect(ask(first).status).toBe(400);
    expect(() => oauth.setMode('other')).toThrow('mode must be one of usual, refuse, unavailable, lost.');
  });
});
