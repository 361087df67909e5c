import { Bench } from './stand';

type Fields = Record<string, string>;

describe('a captcha', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start();
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.reset());

  const plant = (answer: string) => bench.page(`/faults?key=user-1&answer=${answer}`, 'POST');
  const ask = async (answers: Fields = {}): Promise<Record<string, unknown>> => {
    await bench.page('/clock?advance=1000', 'POST');
    return (await bench.call('friends.get', { user_id: 1, ...answers })).json;
  };
  const challenged = async (answers: Fields = {}): Promise<Fields> => {
    const { error } = (await ask(answers)) as { error: Fields & { error_code: number } };
    expect([error.error_code, error['error_msg']]).toEqual([14, 'Captcha needed']);
    return error;
  };
  const person = async (): Promise<Fields> => {
    const { pending } = (await bench.page('/captchas')) as { pending: Fields[] };
    expect(pending).toHaveLength(1);
    return pending[0] as Fields;
  };

  it('of the new form has a page and no picture; its token opens the key again', async () => {
    await plant('14:new');
    const error = await challenged();
    expect(error['redirect_uri']).toMatch(
      /^https:\/\/id\.vk\.com\/not_robot_captcha\?domain=vk\.com&session_token=\d+/,
    );
    expect(error).not.toHaveProperty('captcha_sid');
    await challenged();
    const { success_token = '' } = await person();
    expect(await ask({ success_token })).toHaveProperty('response');
    expect(await ask()).toHaveProperty('response');
    expect(await bench.page('/captchas')).toEqual({ pending: [] });
  });

  it('of the old form has a picture and no page; what the picture says opens the key again', async () => {
    await plant('14:old');
    const error = await challenged();
    expect(error).not.toHaveProperty('redirect_uri');
    expect(error['captcha_img']).toContain(`sid=${error['captcha_sid']}`);
    const { captcha_sid = '', captcha_key = '' } = await person();
    expect(captcha_sid).toBe(error['captcha_sid']);
    expect(await ask({ captcha_sid, captcha_key })).toHaveProperty('response');
    expect(await ask()).toHaveProperty('response');
  });

  it('has both sets of fields unless told otherwise, and each way opens it', async () => {
    for (const way of ['success_token', 'captcha_key']) {
      await plant('14');
      const error = await challenged();
      expect(error).toMatchObject({ captcha_attempt: 1, captcha_ratio: 2.6, is_refresh_enabled: true });
      expect(error).toHaveProperty('redirect_uri');
      const { captcha_sid = '', [way]: word = '' } = await person();
      expect(await ask({ captcha_sid, [way]: word })).toHaveProperty('response');
    }
  });

  it('is asked anew after a wrong answer, counts them, and after five more is error 9', async () => {
    await plant('14:old');
    const { captcha_sid = '' } = await challenged();
    for (let wrong = 1; wrong <= 5; wrong += 1) {
      const again = await challenged({ captcha_sid, captcha_key: 'guess' });
      expect([again['captcha_attempt'], again['captcha_sid'] === captcha_sid]).toEqual([wrong + 1, false]);
    }
    const { error } = await ask({ captcha_sid, captcha_key: 'guess' });
    expect(error).toMatchObject({ error_code: 9, error_msg: 'Flood control: too much captcha requests' });
    const right = await person();
    expect(
      await ask({ captcha_sid: right['captcha_sid'] ?? '', captcha_key: right['captcha_key'] ?? '' }),
    ).toHaveProperty('response');
  });

  it('is of the key alone, and other keys go on', async () => {
    await plant('14');
    await challenged();
    expect((await bench.call('friends.get', { user_id: 1 }, 1)).json).toHaveProperty('response');
  });
});
