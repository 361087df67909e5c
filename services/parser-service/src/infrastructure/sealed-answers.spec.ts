import { Secret } from '@sociograph/kernel';
import { SealedAnswers } from './sealed-answers';

const keyOf = (byte: number): Secret => new Secret(Buffer.alloc(32, byte).toString('base64'));
const ANSWER = '{"response":{"items":[9712345678,2],"names":["Вера","Anna"]}}';

describe('sealed answers', () => {
  const answers = new SealedAnswers(keyOf(1));

  it('say nothing of whom they show, and are the same again when they are opened', async () => {
    const kept = await answers.seal('call-1', ANSWER);
    expect(kept).toMatch(/^sealed\.1\.[A-Za-z0-9+/]+=*$/);
    expect(Buffer.from(kept.slice(9), 'base64').includes('9712345678')).toBe(false);
    expect(await answers.open('call-1', kept)).toBe(ANSWER);
    expect(await new SealedAnswers(keyOf(1)).open('call-1', kept)).toBe(ANSWER);
  });

  it('look different each time', async () => {
    expect(await answers.seal('call-1', ANSWER)).not.toBe(await answers.seal('call-1', ANSWER));
  });

  it('are packed', async () => {
    expect((await answers.seal('call-1', ANSWER.repeat(100))).length).toBeLessThan(500);
  });

  it('are opened for their own call and with their own key only', async () => {
    const kept = await answers.seal('call-1', ANSWER);
    expect(await answers.open('call-2', kept)).toBeUndefined();
    expect(await new SealedAnswers(keyOf(2)).open('call-1', kept)).toBeUndefined();
    expect(await answers.open('call-1', `${kept.slice(0, -8)}AAAAAAA=`)).toBeUndefined();
    expect(await answers.open('call-1', 'sealed.1.AAAA')).toBeUndefined();
  });

  it('of an older version lie in the clear and are read as they are', async () => {
    expect(await answers.open('call-1', ANSWER)).toBe(ANSWER);
  });
});
