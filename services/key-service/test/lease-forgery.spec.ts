import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { deriveKeys, newKeyShare, openToken, signHello, tokenAad } from '@sociograph/lease-client';
import { demoToken, eventually, testServers, withPath, workspaceOf } from '@sociograph/testing';
import { BrokerPeer, type Stolen } from './broker-peer';
import { type KeyServiceFleet, startKeyService } from './key-service-fleet';
import {
  aHello,
  type Answer,
  bodyOf,
  bytes,
  type Frame,
  read,
  type SealedLease,
  WorkerByHand,
} from './worker-by-hand';

jest.setTimeout(120_000);

const WAIT = { timeoutMs: 20_000, everyMs: 50 };
const anIdentity = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

describe('somebody with every right at the broker', () => {
  const secret = `vk1.a.${randomBytes(48).toString('base64url')}`;
  let fleet: KeyServiceFleet;
  let workspaceId: string;
  /** The worker whose leases are wanted, and its connection. */
  let victim: WorkerByHand;
  let connection: BrokerPeer;
  /** The broker's administrator, and somebody who has the worker's own account. */
  let administrator: BrokerPeer;
  let twin: BrokerPeer;
  /** What the victim said and was answered, as a broker sees it. */
  let leaseFrame: Buffer;
  let lease: SealedLease;
  let replyTo: string;

  beforeAll(async () => {
    fleet = await startKeyService();
    const token = await demoToken();
    workspaceId = workspaceOf(token);
    const registered = await fetch(`${fleet.url}/v1/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        network: 'vk',
        kind: 'user',
        token: secret,
        consent: { givenBy: 'a spec' },
      }),
    });
    expect(registered.status).toBe(201);
    connection = await BrokerPeer.at(fleet.workerRabbitUrl);
    twin = await BrokerPeer.at(fleet.workerRabbitUrl);
    administrator = await BrokerPeer.at(withPath(testServers().adminRabbitmqUrl, vhostOf(fleet)));
    victim = await eventually(() => WorkerByHand.open(connection, fleet.identityKeyPem), WAIT);
    const granted = await eventually(async () => {
      const request = victim.request(workspaceId);
      const frame = victim.frame('lease', request);
      const answer = bodyOf(read(await connection.ask(frame)));
      expect(answer).toMatchObject({ kind: 'granted', requestId: request.requestId });
      return { frame, lease: answer.lease as SealedLease };
    }, WAIT);
    leaseFrame = granted.frame;
    lease = granted.lease;
    replyTo = (await stolenFrom(administrator)).replyTo;
  });
  afterAll(async () => {
    await Promise.all([connection, twin, administrator].map((peer) => peer?.close()));
    await fleet?.close();
  });

  /** A message of the victim that key-service did not get. */
  async function stolenFrom(thief: BrokerPeer): Promise<Stolen> {
    const stolen: Stolen[] = [];
    const stop = await thief.steal((message) => stolen.push(message));
    // The broker gives them to the two consumers in turn.
    await eventually(() => {
      connection.send(leaseFrame);
      expect(stolen).not.toEqual([]);
    }, WAIT);
    await stop();
    return stolen[0] as Stolen;
  }

  const intruders = (): BrokerPeer[] => [administrator, twin];
  const asked = async (peer: BrokerPeer, frame: Buffer): Promise<Frame> => read(await peer.ask(frame));
  const request = (): Record<string, unknown> =>
    JSON.parse((read(leaseFrame) as { body: string }).body) as Record<string, unknown>;
  const refused = (reason: string): object => ({ kind: 'refused', reason });

  it('sees tokens under the key of one session, bound to one lease', async () => {
    expect(openToken(victim.keys.seal, lease.token, tokenAad(lease))).toBe(secret);
    expect(lease.token).not.toContain(secret);
    const other = await WorkerByHand.open(connection, fleet.identityKeyPem);
    const { publicKey, nonce } = victim.welcome;
    const own = newKeyShare();
    const guessed = deriveKeys(own.privateKey, publicKey, {
      service: 'parser-service',
      instance: 'by-hand',
      worker: own,
      pool: { publicKey, nonce },
    });
    for (const key of [other.keys.seal, guessed.seal, victim.keys.request, victim.keys.reply])
      expect(() => openToken(key, lease.token, tokenAad(lease))).toThrow();
    for (const change of [{ leaseId: randomUUID() }, { fence: lease.fence + 1 }, { keyId: randomUUID() }])
      expect(() => openToken(victim.keys.seal, lease.token, tokenAad({ ...lease, ...change }))).toThrow();
  });

  it('opens no session without the identity of a worker', async () => {
    const genuine = JSON.parse(read(victim.helloFrame).body ?? '') as ReturnType<typeof aHello>['hello'];
    const rekeyed = newKeyShare();
    const hellos: Record<string, object> = {
      'an own identity': aHello(anIdentity()).hello,
      'a service that nobody trusts': aHello(fleet.identityKeyPem, { service: 'graph-storage-service' })
        .hello,
      'another key in a hello that was heard': { ...genuine, publicKey: rekeyed.publicKey },
      'another nonce': { ...genuine, nonce: rekeyed.nonce },
      'another instance': { ...genuine, instance: 'another' },
      'a later time': { ...genuine, issuedAt: genuine.issuedAt + 1 },
      'a signature of nothing': { ...genuine, signature: 'A'.repeat(86) },
      'a key of zeros': { ...genuine, publicKey: 'A'.repeat(43) },
      'an own signature under its name': signHello({ ...genuine, ...publicOf(rekeyed) }, anIdentity()),
    };
    for (const peer of intruders()) {
      for (const [name, hello] of Object.entries(hellos)) {
        const answer = await asked(peer, bytes({ kind: 'hello', body: JSON.stringify(hello) }));
        expect([peer.account, name, answer]).toEqual([peer.account, name, refused('forged')]);
      }
    }
    expect(await asked(administrator, victim.helloFrame)).toEqual(refused('forged'));
    const stale = aHello(fleet.identityKeyPem, { issuedAt: Date.now() - 400_000 });
    expect(await asked(twin, stale.frame)).toEqual(refused('stale'));
  });

  it('can use no session that a hello opens which was heard: its key is not in it', async () => {
    const answer = await asked(twin, victim.helloFrame);
    expect(answer.kind).toBe('welcome');
    const { session, publicKey, nonce } = JSON.parse(answer.body ?? '') as {
      session: string;
      publicKey: string;
      nonce: string;
    };
    const genuine = JSON.parse(read(victim.helloFrame).body ?? '') as { publicKey: string; nonce: string };
    const own = newKeyShare();
    const agreement = { service: 'parser-service', instance: 'by-hand', pool: { publicKey, nonce } };
    const derived = deriveKeys(own.privateKey, publicKey, { ...agreement, worker: genuine });
    for (const key of [derived.request, victim.keys.request, randomBytes(32), Buffer.alloc(32)]) {
      const frame = victim.frame('lease', victim.request(workspaceId), key, session);
      expect(await asked(twin, frame)).toEqual(refused('forged'));
    }
  });

  it('gets nothing for requests that were heard, whatever is changed in them', async () => {
    const frame = read(leaseFrame) as Frame & { body: string; mac: string };
    const changes: Record<string, object> = {
      'as it was': {},
      'of another kind': { kind: 'capacity' },
      'of a later number': { body: JSON.stringify({ ...request(), sequence: 999 }) },
      'of another workspace': { body: JSON.stringify({ ...request(), workspaceId: 'another' }) },
      'of another import': { body: JSON.stringify({ ...request(), importId: 'another' }) },
      'of a longer wait': { body: JSON.stringify({ ...request(), deadlineAt: 9e15 }) },
      'of more methods': { body: JSON.stringify({ ...request(), methods: { 'wall.get': 25 } }) },
      'of another session': { session: randomUUID() },
      'with a proof of zeros': { mac: 'A'.repeat(43) },
      'under the own proof': { mac: randomBytes(32).toString('base64url') },
    };
    for (const peer of intruders()) {
      for (const [name, change] of Object.entries(changes)) {
        const answer = await asked(peer, bytes({ ...frame, ...change }));
        expect([peer.account, name, answer]).toEqual([peer.account, name, refused('session-unknown')]);
      }
    }
    for (const kind of ['lease', 'settle', 'capacity', 'path', 'bye'])
      expect(await asked(twin, victim.frame(kind, victim.request(workspaceId)))).toEqual(
        refused('session-unknown'),
      );
    // With the victim's reply address the answer goes to the victim, and is a refusal as long as anything is changed.
    const said = Object.values(changes)
      .slice(1)
      .map((change) => twin.send(bytes({ ...frame, ...change }), { replyTo }));
    said.push(administrator.send(leaseFrame, { replyTo }));
    await eventually(() => expect(connection.heardOf(said)).toHaveLength(said.length), WAIT);
    const answers = connection.heardOf(said).map(read);
    expect(answers.map(({ kind }) => kind)).toEqual(answers.map(() => 'refused'));
    expect(new Set(answers.map(({ reason }) => reason))).toEqual(new Set(['forged', 'session-unknown']));
    // Unchanged it is answered with the same lease as long as that one is wanted, which nobody but the victim can open.
    const again = twin.send(leaseFrame, { replyTo });
    await eventually(() => expect(connection.heardOf([again])).toHaveLength(1), WAIT);
    const [same] = connection.heardOf([again]).map((answer) => bodyOf(read(answer)));
    expect([lease.leaseId, 'denied']).toContain(same?.lease?.leaseId ?? same?.kind);
    expect(twin.heardOf([again, ...said])).toEqual([]);
  });

  it('is no other account than its own', async () => {
    const liar = await BrokerPeer.at(withPath(testServers().adminRabbitmqUrl, vhostOf(fleet)));
    liar.send(victim.helloFrame, { userId: 'parser-service' });
    await eventually(() => expect(liar.refusedWith).toBe(406), WAIT);
    expect(liar.heard).toEqual([]);
    await liar.close();
  });

  it('gets no token of another workspace, not even with a session of its own', async () => {
    const { requestId } = await eventually(async () => {
      const answer = await victim.lease(workspaceId);
      expect(answer.kind).toBe('granted');
      return answer;
    }, WAIT);
    const answers: Answer[] = [
      // The id of a lease that another workspace has, and one of its own.
      await victim.lease('another-workspace', { requestId }),
      await victim.lease('another-workspace'),
    ];
    expect(answers.map(({ kind, reason }) => [kind, reason])).toEqual([
      ['denied', 'replay'],
      ['denied', 'no-key'],
    ]);
  });

  it('makes no worker believe an answer of its own', async () => {
    const client = await fleet.client({ instanceId: 'believer' });
    const order = { workspaceId, network: 'vk', importId: 'i', methods: { 'friends.get': 1 } };
    await eventually(async () => {
      expect((await client.acquire({ ...order, timeoutMs: 2_000 })).kind).toBe('granted');
    }, WAIT);
    const stop = await administrator.steal((stolen) => {
      const sent = read(stolen.content);
      const { requestId } = bodyOf(sent);
      const made = {
        kind: 'granted',
        requestId,
        poolNow: victim.poolNow,
        lease: { ...lease, leaseId: requestId },
      };
      const mac = randomBytes(32).toString('base64url');
      administrator.answer(stolen, bytes({ kind: 'reply', body: JSON.stringify(made), mac }));
    });
    await eventually(async () => {
      const verdict = client.acquire({ ...order, timeoutMs: 2_000 });
      await expect(verdict).rejects.toMatchObject({
        code: 'LEASE.REQUEST_REFUSED',
        facts: { reason: 'forged' },
      });
    }, WAIT);
    await stop();
  });

  it('has nothing of a session that is over', async () => {
    const worker = await WorkerByHand.open(connection, fleet.identityKeyPem);
    const frame = worker.frame('lease', worker.request(workspaceId));
    expect(await asked(connection, worker.frame('bye', worker.request(workspaceId)))).toMatchObject({
      kind: 'reply',
    });
    expect(await asked(connection, frame)).toEqual(refused('session-unknown'));
  });

  it('never heard a token or a lease, and keeps no worker from working', async () => {
    for (const peer of intruders()) {
      const heard = peer.heard.map(({ content }) => content.toString());
      expect(heard.length).toBeGreaterThan(10);
      expect(heard.filter((text) => text.includes('granted') || text.includes(secret))).toEqual([]);
    }
    expect(connection.heard.filter(({ content }) => content.includes(secret))).toEqual([]);
    await eventually(async () => {
      const { kind, lease: another } = await victim.lease(workspaceId);
      expect(kind).toBe('granted');
      expect(openToken(victim.keys.seal, another?.token ?? '', tokenAad(another as SealedLease))).toBe(
        secret,
      );
    }, WAIT);
  });
});

function publicOf({ publicKey, nonce }: { publicKey: string; nonce: string }): object {
  return { publicKey, nonce };
}

function vhostOf({ workerRabbitUrl }: KeyServiceFleet): string {
  return new URL(workerRabbitUrl).pathname.slice(1);
}
