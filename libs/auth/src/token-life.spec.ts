import { watchToken, type TokenLife } from './token-life';

const NOW = 1_795_000_000_000;

describe('watchToken', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const token = (expiresInMs: number, isTakenBack = async (): Promise<boolean> => false): TokenLife => ({
    expiresAt: NOW + expiresInMs,
    isTakenBack,
  });

  it('says once that the token expired, at that moment', async () => {
    const end = jest.fn();
    watchToken(
      token(30_000, async () => true),
      NOW + 29_500,
      end,
    );
    await jest.advanceTimersByTimeAsync(499);
    expect(end).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(end.mock.calls).toEqual([['token-expired']]);
  });

  it('says within a second that the token was taken back, once', async () => {
    const end = jest.fn();
    let isTakenBack = false;
    watchToken(
      token(30_000, async () => isTakenBack),
      NOW,
      end,
    );
    await jest.advanceTimersByTimeAsync(5_500);
    isTakenBack = true;
    await jest.advanceTimersByTimeAsync(499);
    expect(end).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(end.mock.calls).toEqual([['token-revoked']]);
  });

  it('looks again when it could not be told', async () => {
    const end = jest.fn();
    let looks = 0;
    const unsure = async (): Promise<boolean> => {
      looks += 1;
      if (looks === 1) throw new Error('away');
      return true;
    };
    watchToken(token(30_000, unsure), NOW, end);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(end.mock.calls).toEqual([['token-revoked']]);
  });

  it('says nothing any more once it is stopped, also of a look under way', async () => {
    const end = jest.fn();
    let tell!: (isTakenBack: boolean) => void;
    const stop = watchToken(
      token(1_500, () => new Promise((resolve) => (tell = resolve))),
      NOW,
      end,
    );
    await jest.advanceTimersByTimeAsync(1_000);
    stop();
    tell(true);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(end).not.toHaveBeenCalled();
  });

  it('ends at once what is over already, and waits for a far end as long as a timer can', async () => {
    const [past, far] = [jest.fn(), jest.fn()];
    watchToken(token(-5), NOW, past);
    watchToken(token(1e13), NOW, far);
    await jest.advanceTimersByTimeAsync(1);
    expect([past.mock.calls, far.mock.calls]).toEqual([[['token-expired']], []]);
  });
});
