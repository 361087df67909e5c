import { randomUUID } from 'node:crypto';
import { deriveKeys, frameMac, newKeyShare, type SessionKeys, signHello } from '@sociograph/lease-client';
import type { BrokerPeer } from './broker-peer';

/** A frame of the pool as it is on the wire. */
export interface Frame {
  kind: string;
  reason?: string;
  body?: string;
  mac?: string;
}

export interface Welcome {
  session: string;
  publicKey: string;
  nonce: string;
  poolNow: number;
}

export interface SealedLease {
  leaseId: string;
  fence: number;
  keyId: string;
  token: string;
}

/** What a reply says once its frame is opened. */
export interface Answer {
  kind: string;
  reason?: string;
  requestId: string;
  lease?: SealedLease;
}

const SERVICE = 'parser-service';
const INSTANCE = 'by-hand';

export function read(answer: Buffer): Frame {
  return JSON.parse(answer.toString()) as Frame;
}

export function bodyOf(frame: Frame): Answer {
  return JSON.parse(frame.body ?? '{}') as Answer;
}

export function bytes(frame: object): Buffer {
  return Buffer.from(JSON.stringify(frame));
}

/** A hello of this service under the given identity, and the half of the agreement that nobody else has. */
export function aHello(identityPem: string, details: { service?: string; issuedAt?: number } = {}) {
  const share = newKeyShare();
  const { publicKey, nonce } = share;
  const plain = { service: SERVICE, instance: INSTANCE, publicKey, nonce, issuedAt: Date.now(), ...details };
  const hello = signHello(plain, identityPem);
  return { hello, share, frame: bytes({ kind: 'hello', body: JSON.stringify(hello) }) };
}

/** A worker that speaks the lease protocol word by word, so that a spec has all that is said and all keys. */
export class WorkerByHand {
  sequence = 0;

  private constructor(
    readonly peer: BrokerPeer,
    readonly helloFrame: Buffer,
    readonly welcome: Welcome,
    readonly keys: SessionKeys,
    private readonly openedAt: number,
  ) {}

  static async open(peer: BrokerPeer, identityPem: string): Promise<WorkerByHand> {
    const { hello, share, frame } = aHello(identityPem);
    const answer = read(await peer.ask(frame));
    if (answer.kind !== 'welcome') throw new Error(`the pool answered ${JSON.stringify(answer)}`);
    const welcome = JSON.parse(answer.body ?? '') as Welcome;
    const keys = deriveKeys(share.privateKey, welcome.publicKey, {
      service: hello.service,
      instance: hello.instance,
      worker: { publicKey: hello.publicKey, nonce: hello.nonce },
      pool: { publicKey: welcome.publicKey, nonce: welcome.nonce },
    });
    return new WorkerByHand(peer, frame, welcome, keys, performance.now());
  }

  get poolNow(): number {
    return this.welcome.poolNow + (performance.now() - this.openedAt);
  }

  /** A request for one call of the given workspace, under this session. */
  request(workspaceId: string, details: object = {}): { requestId: string } & Record<string, unknown> {
    this.sequence += 1;
    const now = this.poolNow;
    return {
      requestId: randomUUID(),
      issuedAt: now,
      sequence: this.sequence,
      workspaceId,
      network: 'vk',
      importId: 'an-import',
      methods: { 'friends.get': 1 },
      deadlineAt: now + 2_000,
      ...details,
    };
  }

  frame(kind: string, message: object, key = this.keys.request, session = this.welcome.session): Buffer {
    const body = JSON.stringify(message);
    return bytes({ kind, session, body, mac: frameMac(key, kind, session, body) });
  }

  async lease(workspaceId: string, details: object = {}): Promise<Answer> {
    return bodyOf(read(await this.peer.ask(this.frame('lease', this.request(workspaceId, details)))));
  }
}
