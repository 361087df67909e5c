import { randomBytes } from 'node:crypto';
import {
  type IdempotencyAnswer,
  type IdempotencyClaim,
  type IdempotencyRequest,
  IdempotencyStore,
} from '@sociograph/kernel';
import { SealedAnswers } from './sealed-answers';

class OneAnswer extends IdempotencyStore {
  kept: IdempotencyAnswer | undefined;
  released = 0;

  override async claim(): Promise<IdempotencyClaim> {
    return this.kept === undefined ? { kind: 'first' } : { kind: 'repeat', answer: this.kept };
  }

  override async complete(_: IdempotencyRequest, answer: IdempotencyAnswer): Promise<void> {
    this.kept = answer;
  }

  override async release(): Promise<void> {
    this.released += 1;
  }
}

const request = { workspaceId: 'w', key: 'k', operation: 'POST /v1/workspace/invitations', bodyHash: 'h' };
const answer = { status: 201, body: { id: '1', token: 'a secret' }, headers: { location: '/1' } };

describe('sealed answers', () => {
  const root = randomBytes(32);

  it('come back as they were, and are not readable where they are kept', async () => {
    const store = new OneAnswer();
    const answers = new SealedAnswers(store, root);
    expect(await answers.claim(request)).toEqual({ kind: 'first' });
    await answers.complete(request, answer);
    expect(store.kept).toEqual({ ...answer, body: expect.stringMatching(/^[A-Za-z0-9_-]{76}$/) });
    expect(Buffer.from(String(store.kept?.body), 'base64url').toString('latin1')).not.toContain('secret');
    expect(await new SealedAnswers(store, root).claim(request)).toEqual({ kind: 'repeat', answer });
    const first = store.kept?.body;
    await answers.complete(request, answer);
    expect(store.kept?.body).not.toBe(first);
    await answers.release(request);
    expect(store.released).toBe(1);
  });

  it.each([
    ['another workspace', { workspaceId: 'v' }],
    ['another operation', { operation: 'POST /v1/other' }],
    ['another key', { key: 'l' }],
  ])('do not open for %s', async (_, change) => {
    const answers = new SealedAnswers(new OneAnswer(), root);
    await answers.complete(request, answer);
    await expect(answers.claim({ ...request, ...change })).rejects.toThrow();
  });

  it('do not open under another root, nor changed', async () => {
    const store = new OneAnswer();
    await new SealedAnswers(store, root).complete(request, answer);
    await expect(new SealedAnswers(store, randomBytes(32)).claim(request)).rejects.toThrow();
    const bytes = Buffer.from(String(store.kept?.body), 'base64url');
    bytes.writeUInt8(bytes.readUInt8(30) ^ 1, 30);
    store.kept = { ...answer, body: bytes.toString('base64url') };
    await expect(new SealedAnswers(store, root).claim(request)).rejects.toThrow();
  });
});
