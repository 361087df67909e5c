import { generateKeyPairSync } from 'node:crypto';
import type { LeaseHello } from '@sociograph/contracts';
import {
  deriveKeys,
  frameMac,
  helloIsGenuine,
  type LeaseTransport,
  macIsRight,
  newKeyShare,
  sealToken,
  type SessionKeys,
  tokenAad,
} from '../src/index';

interface Frame {
  kind: string;
  session: string;
  body: string;
  mac: string;
}

export interface SeenRequest {
  kind: string;
  session: string;
  body: Record<string, unknown>;
}

type Answer = (request: SeenRequest) => object | 'lost' | 'refused' | 'unsigned';

/** The other end of the protocol in the same process: real cryptography, answers from a script. */
export class ScriptedPool implements LeaseTransport {
  readonly identity = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  readonly seen: SeenRequest[] = [];
  readonly timeouts: number[] = [];
  hellos = 0;
  helloAnswer: 'welcome' | 'refused' | 'lost' | 'forged' = 'welcome';
  poolNow = () => 50_000;
  answer: Answer = () => 'lost';
  #keys = new Map<string, SessionKeys>();

  async request(bytes: Buffer, timeoutMs: number): Promise<Buffer> {
    this.timeouts.push(timeoutMs);
    const frame = JSON.parse(bytes.toString()) as Frame;
    return Buffer.from(
      JSON.stringify(frame.kind === 'hello' ? this.#welcome(frame.body) : this.#reply(frame)),
    );
  }

  /** As if the pool had restarted without its sessions. */
  forgetSessions(): void {
    this.#keys = new Map();
  }

  seal(session: string, token: string, lease: { leaseId: string; fence: number; keyId: string }): string {
    return sealToken(this.#keys.get(session)!.seal, token, tokenAad(lease));
  }

  #welcome(text: string): object {
    this.hellos += 1;
    if (this.helloAnswer === 'lost') throw new Error('no answer');
    if (this.helloAnswer === 'refused') return { kind: 'refused', reason: 'forged' };
    const hello = JSON.parse(text) as LeaseHello;
    if (!helloIsGenuine(hello, this.identity.publicKey)) throw new Error('the hello is not genuine');
    const share = newKeyShare();
    const { service, instance } = hello;
    const worker = { publicKey: hello.publicKey, nonce: hello.nonce };
    const pool = { publicKey: share.publicKey, nonce: share.nonce };
    const session = `session-${this.hellos}`;
    const keys = deriveKeys(share.privateKey, hello.publicKey, { service, instance, worker, pool });
    this.#keys.set(session, keys);
    const body = JSON.stringify({ session, ...pool, poolNow: this.poolNow(), expiresAt: 9_000_000 });
    const mac = frameMac(this.helloAnswer === 'forged' ? keys.request : keys.reply, 'welcome', session, body);
    return { kind: 'welcome', body, mac };
  }

  #reply(frame: Frame): object {
    const keys = this.#keys.get(frame.session);
    if (keys === undefined) return { kind: 'refused', reason: 'session-unknown' };
    if (!macIsRight(keys.request, frame.kind, frame.session, frame.body, frame.mac)) {
      return { kind: 'refused', reason: 'forged' };
    }
    const request = {
      kind: frame.kind,
      session: frame.session,
      body: JSON.parse(frame.body) as SeenRequest['body'],
    };
    this.seen.push(request);
    const answer = this.answer(request);
    if (answer === 'lost') throw new Error('no answer');
    if (answer === 'refused') return { kind: 'refused', reason: 'forged' };
    const message = answer === 'unsigned' ? {} : answer;
    const body = JSON.stringify({
      requestId: request.body['requestId'],
      poolNow: this.poolNow(),
      ...message,
    });
    const key = answer === 'unsigned' ? keys.request : keys.reply;
    return { kind: 'reply', body, mac: frameMac(key, 'reply', frame.session, body) };
  }
}
