import { generateKeyPairSync } from 'node:crypto';
import { Secret } from '@sociograph/kernel';
import { frameMac, LeaseClient, newKeyShare, signHello } from '@sociograph/lease-client';
import { fakeClock, sequentialIds } from '@sociograph/testing';
import { aKey } from '../../test/builders';
import { PlainKms } from '../../test/plain-kms';
import { LeaseDesk } from '../application/acquire-lease';
import { KeyRing } from '../application/key-ring';
import { SettleDesk } from '../application/settle-leases';
import type { LeaseWatch } from '../application/watch-leases';
import { rulesOf } from '../domain/networks';
import type { KeyEvent } from '../domain/key-events';
import { EnvelopeVault } from '../infrastructure/envelope-vault';
import {
  InMemoryDataKeys,
  InMemoryLeaseSessions,
  ManualAlarm,
  RecordingAuditTrail,
} from '../infrastructure/in-memory';
import { InMemoryApiKeys, InMemoryKeyCatalogue } from '../infrastructure/in-memory-api-keys';
import { InMemoryQuotaLedger } from '../infrastructure/in-memory-quota-ledger';
import { type Caller, LeaseRpc } from './lease-rpc';

const identity = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const REQUEST = {
  workspaceId: 'demo',
  network: 'vk',
  importId: 'i1',
  methods: { 'friends.get': 1 },
  timeoutMs: 1_000,
};

async function setUp() {
  const clock = fakeClock();
  const ids = sequentialIds();
  const kms = new PlainKms();
  const ledger = new InMemoryQuotaLedger(() => clock.nowMs());
  const vault = new EnvelopeVault({ kms, dataKeys: new InMemoryDataKeys(), clock, ids });
  const keys = new InMemoryApiKeys();
  const ring = new KeyRing(new InMemoryKeyCatalogue(keys), ledger, vault);
  const audit = new RecordingAuditTrail();
  const sessions = new InMemoryLeaseSessions();
  const desk = new LeaseDesk(ledger, new ManualAlarm(), { perImport: 9, perWorkspace: 9 });
  const events: [KeyEvent[], string][] = [];
  const refused: string[] = [];
  const margins: [string, number][] = [];
  const grants: Parameters<LeaseWatch['granted']>[] = [];
  const rpc = new LeaseRpc({
    sessions,
    desk,
    settles: new SettleDesk(ledger, () => undefined),
    ring,
    ledger,
    audit,
    clock,
    ids,
    trusted: new Map([['parser-service', identity.publicKey]]),
    accountOf: (service) => service,
    rulesOf,
    onGranted: (...granted) => grants.push(granted),
    onMargin: (...margin) => margins.push(margin),
    onKeyEvents: (happened, service) => events.push([happened, service]),
    onRefused: (reason) => refused.push(reason),
  });
  const sealed = await vault.seal(new Secret('vk1.a.token'), {
    workspaceId: 'demo',
    keyId: 'k1',
    tokenVersion: 1,
  });
  await keys.add(aKey('k1'), sealed, 'f', { actor: { kind: 'person', id: 'p' }, action: 'key.register' });
  await ring.refresh();

  const caller: Caller = { userId: 'parser-service', replyTo: 'reply-1' };
  const frames: Buffer[] = [];
  const clientOf = (service = 'parser-service'): LeaseClient =>
    new LeaseClient({
      rpc: {
        request: (frame) => {
          frames.push(frame);
          return rpc.handle(frame, { ...caller });
        },
      },
      identityKeyPem: identity.privateKey,
      service,
      instanceId: '0',
      clock,
      ids: sequentialIds(`worker-${service}`),
    });
  const ask = async (frame: object | string): Promise<unknown> => {
    const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
    return JSON.parse((await rpc.handle(Buffer.from(text), { ...caller })).toString()) as unknown;
  };
  return {
    clock,
    kms,
    ledger,
    vault,
    keys,
    ring,
    audit,
    sessions,
    rpc,
    events,
    refused,
    grants,
    margins,
    caller,
    frames,
    clientOf,
    ask,
  };
}

type Parts = Awaited<ReturnType<typeof setUp>>;

/** A frame of an open session with a body of our choice, rightly signed. */
async function signed(
  parts: Parts,
  kind: string,
  body: object,
): Promise<{ kind: string; session: string; body: string; mac: string }> {
  const { session } = JSON.parse((parts.frames.at(-1) as Buffer).toString()) as { session: string };
  const keys = (await parts.sessions.find(session))!.keys;
  const text = JSON.stringify(body);
  return { kind, session, body: text, mac: frameMac(keys.request, kind, session, text) };
}

describe('the lease protocol', () => {
  it('gives slots as far ahead as a worker asks for, 60 ms at most', async () => {
    const parts = await setUp();
    await parts.clientOf().acquire(REQUEST);
    const now = parts.clock.nowMs();
    const body = { requestId: 'far', issuedAt: now, sequence: 70, deadlineAt: now + 5_000 };
    const { workspaceId, network, importId, methods } = REQUEST;
    const request = { ...body, workspaceId, network, importId, methods };
    const asked = async (leadMs: number): Promise<unknown> =>
      parts.ask(await signed(parts, 'lease', { ...request, leadMs }));
    expect(await asked(61)).toEqual({ kind: 'refused', reason: 'malformed' });
    parts.clock.advance(5_000);
    Object.assign(request, { issuedAt: now + 5_000, deadlineAt: now + 10_000 });
    await asked(60);
    const [command, grant] = parts.grants.at(-1) as unknown as [{ leadMs: number }, { slots: number[] }];
    expect(command.leadMs).toBe(60);
    expect(grant.slots).toEqual([now + 5_060]);
  });

  it('grants a lease whose token only its session can open', async () => {
    const parts = await setUp();
    const client = parts.clientOf();
    const verdict = await client.acquire(REQUEST);
    if (verdict.kind !== 'granted') throw new Error(verdict.reason);
    const { lease } = verdict;
    expect(lease.token.reveal()).toBe('vk1.a.token');
    expect(lease).toMatchObject({ keyId: 'k1', fence: 1, keyVersion: 1, why: 'earliest-free' });
    const now = parts.clock.nowMs();
    expect(lease.slots.map(({ notBefore, notAfter }) => [notBefore - now, notAfter - now])).toEqual([
      [10, 20],
    ]);
    expect(parts.frames.map((frame) => frame.toString()).join()).not.toContain('vk1.a.token');
  });

  it('settles, once', async () => {
    const { clientOf, events, ledger } = await setUp();
    const client = clientOf();
    const verdict = await client.acquire(REQUEST);
    if (verdict.kind !== 'granted') throw new Error(verdict.reason);
    ledger.events = [{ keyId: 'k1', kind: 'invalid', code: 5, forMs: 0 }];
    const unsent = [{ outcome: 'unsent' as const, slot: 0 }];
    expect(await client.settle(verdict.lease, unsent)).toBe('settled');
    expect(events).toEqual([[[{ keyId: 'k1', kind: 'invalid', code: 5, forMs: 0 }], 'parser-service']]);
    expect(await client.settle(verdict.lease, unsent)).toBe('already-settled');
    expect(events).toHaveLength(1);
  });

  it('says how much may be called, and what time it is', async () => {
    const { clientOf, clock } = await setUp();
    const client = clientOf();
    expect(await client.capacity({ workspaceId: 'demo', network: 'vk' })).toEqual({
      keys: 1,
      callsPerSecond: 3,
    });
    expect(await client.capacity({ workspaceId: 'other', network: 'vk' })).toEqual({
      keys: 0,
      callsPerSecond: 0,
    });
    expect(client.poolNow()).toBe(clock.nowMs());
  });

  it('denies what the ledger denies', async () => {
    const { clientOf, clock } = await setUp();
    const denied = await clientOf().acquire({ ...REQUEST, workspaceId: 'other' });
    expect(denied).toEqual({ kind: 'denied', reason: 'no-key', retryAt: clock.nowMs() + 1000 });
  });

  it('answers the same request twice with the same grant', async () => {
    const parts = await setUp();
    await parts.clientOf().acquire(REQUEST);
    const again = (await parts.ask((parts.frames.at(-1) as Buffer).toString())) as {
      kind: string;
      body: string;
    };
    expect(JSON.parse(again.body)).toMatchObject({ kind: 'granted', lease: { fence: 1 } });
    expect(parts.audit.notes).toEqual([]);
  });

  it('denies and audits a sequence that was used for another request', async () => {
    const parts = await setUp();
    await parts.clientOf().acquire(REQUEST);
    const now = parts.clock.nowMs();
    const { timeoutMs: _, ...wanted } = REQUEST;
    const body = { ...wanted, requestId: 'other', issuedAt: now, sequence: 1, deadlineAt: now + 1000 };
    const reply = (await parts.ask(await signed(parts, 'lease', body))) as { body: string };
    expect(JSON.parse(reply.body)).toMatchObject({ kind: 'denied', reason: 'replay' });
    expect(parts.audit.notes).toEqual([
      { workspaceId: 'demo', service: 'parser-service', action: 'lease.request', reason: 'replay' },
    ]);
  });

  it('denies and audits a request id that belongs to another workspace', async () => {
    const parts = await setUp();
    const verdict = await parts.clientOf().acquire(REQUEST);
    if (verdict.kind !== 'granted') throw new Error(verdict.reason);
    const now = parts.clock.nowMs();
    const { timeoutMs: _, ...wanted } = REQUEST;
    const head = { requestId: verdict.lease.leaseId, issuedAt: now, sequence: 9, deadlineAt: now + 1000 };
    const reply = (await parts.ask(
      await signed(parts, 'lease', { ...wanted, ...head, workspaceId: 'other' }),
    )) as {
      body: string;
    };
    expect(JSON.parse(reply.body)).toMatchObject({ kind: 'denied', reason: 'replay' });
    expect(parts.audit.notes).toMatchObject([{ workspaceId: 'other', reason: 'replay' }]);
  });

  it.each([
    [30_000, 'granted'],
    [30_001, 'stale'],
    [-30_001, 'stale'],
  ])('takes a request that was issued %i ms ago for %s', async (ageMs, expected) => {
    const parts = await setUp();
    await parts.clientOf().capacity({ workspaceId: 'demo', network: 'vk' });
    const now = parts.clock.nowMs();
    const { timeoutMs: _, ...wanted } = REQUEST;
    const body = { ...wanted, requestId: 'r', issuedAt: now - ageMs, sequence: 9, deadlineAt: now + 1000 };
    const reply = (await parts.ask(await signed(parts, 'lease', body))) as { body: string };
    const answer = JSON.parse(reply.body) as { kind: string; reason?: string };
    expect(answer.reason ?? answer.kind).toBe(expected);
    expect(parts.audit.notes.map(({ reason }) => reason)).toEqual(expected === 'stale' ? ['stale'] : []);
  });

  it.each(['settle', 'capacity'])('refuses a stale %s', async (kind) => {
    const parts = await setUp();
    await parts.clientOf().capacity({ workspaceId: 'demo', network: 'vk' });
    const settle = {
      leaseId: 'l',
      fence: 1,
      workspaceId: 'demo',
      network: 'vk',
      importId: 'i',
      reports: [{ outcome: 'unsent', slot: 0 }],
    };
    const body = { requestId: 'r', issuedAt: parts.clock.nowMs() - 30_001, sequence: 9, settles: [settle] };
    expect(await parts.ask(await signed(parts, kind, body))).toEqual({ kind: 'refused', reason: 'stale' });
    expect(parts.audit.notes).toMatchObject([{ action: `lease.${kind}`, reason: 'stale' }]);
  });

  it('refuses and audits a frame of which anything was changed', async () => {
    const parts = await setUp();
    await parts.clientOf().acquire(REQUEST);
    const frame = JSON.parse((parts.frames.at(-1) as Buffer).toString()) as { kind: string; body: string };
    const forged = { kind: 'refused', reason: 'forged' };
    expect(await parts.ask({ ...frame, body: frame.body.replace('demo', 'prod') })).toEqual(forged);
    expect(await parts.ask({ ...frame, kind: 'capacity' })).toEqual(forged);
    expect(parts.audit.notes).toMatchObject([
      { workspaceId: undefined, service: 'parser-service', action: 'lease.lease', reason: 'forged' },
      { action: 'lease.capacity', reason: 'forged' },
    ]);
    expect(parts.refused).toEqual(['forged', 'forged']);
  });

  it('refuses a session of another account or connection', async () => {
    const parts = await setUp();
    await parts.clientOf().acquire(REQUEST);
    const frame = (parts.frames.at(-1) as Buffer).toString();
    parts.caller.userId = 'other-service';
    expect(await parts.ask(frame)).toEqual({ kind: 'refused', reason: 'forged' });
    parts.caller.userId = 'parser-service';
    parts.caller.replyTo = 'reply-2';
    expect(await parts.ask(frame)).toEqual({ kind: 'refused', reason: 'session-unknown' });
  });

  it('opens a new session when the connection is another one', async () => {
    const { clientOf, caller } = await setUp();
    const client = clientOf();
    await client.acquire(REQUEST);
    caller.replyTo = 'reply-2';
    expect(await client.acquire(REQUEST)).toMatchObject({ kind: 'granted' });
  });

  it('ends a session after an hour, and at a goodbye', async () => {
    const parts = await setUp();
    const client = parts.clientOf();
    await client.acquire(REQUEST);
    const frame = (parts.frames.at(-1) as Buffer).toString();
    parts.clock.advance(3_600_000);
    expect(await parts.ask(frame)).toMatchObject({ kind: 'reply' });
    parts.clock.advance(1);
    expect(await parts.ask(frame)).toEqual({ kind: 'refused', reason: 'session-unknown' });
    await client.acquire(REQUEST);
    const second = (parts.frames.at(-1) as Buffer).toString();
    await client.close();
    expect(await parts.ask(second)).toEqual({ kind: 'refused', reason: 'session-unknown' });
  });

  describe('takes no hello', () => {
    async function hello(parts: Parts, details: object = {}, pem = identity.privateKey): Promise<unknown> {
      const { publicKey, nonce } = newKeyShare();
      const issuedAt = parts.clock.nowMs();
      const plain = { service: 'parser-service', instance: '0', publicKey, nonce, issuedAt, ...details };
      return parts.ask({ kind: 'hello', body: JSON.stringify(signHello(plain, pem)) });
    }

    it('but a genuine one', async () => {
      const parts = await setUp();
      expect(await hello(parts)).toMatchObject({ kind: 'welcome' });
    });

    it('of a service that is not trusted, an account of another name, or another identity', async () => {
      const parts = await setUp();
      const forged = { kind: 'refused', reason: 'forged' };
      expect(await hello(parts, { service: 'other-service' })).toEqual(forged);
      const other = generateKeyPairSync('ed25519')
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString();
      expect(await hello(parts, {}, other)).toEqual(forged);
      parts.caller.userId = 'key-service';
      expect(await hello(parts)).toEqual(forged);
      parts.caller.userId = undefined;
      expect(await hello(parts)).toEqual(forged);
      expect(parts.audit.notes.map(({ service, action }) => [service, action])).toEqual([
        ['parser-service', 'lease.hello'],
        ['parser-service', 'lease.hello'],
        ['key-service', 'lease.hello'],
        ['unknown', 'lease.hello'],
      ]);
    });

    it('older than the five minutes that a clock may be off, and its way here', async () => {
      const parts = await setUp();
      const now = parts.clock.nowMs();
      expect(await hello(parts, { issuedAt: now - 310_000 })).toMatchObject({ kind: 'welcome' });
      expect(await hello(parts, { issuedAt: now - 310_001 })).toEqual({ kind: 'refused', reason: 'stale' });
    });

    it('of which nothing can be read', async () => {
      const parts = await setUp();
      expect(await parts.ask({ kind: 'hello', body: '{"service":1}' })).toEqual({
        kind: 'refused',
        reason: 'malformed',
      });
      expect(parts.audit.notes).toMatchObject([{ action: 'lease.hello', reason: 'malformed' }]);
    });
  });

  it.each(['', 'x', '[]', '{"kind":"lease"}', JSON.stringify({ kind: 'hello', body: 'x'.repeat(262_200) })])(
    'refuses a frame that is none (%#)',
    async (text) => {
      const parts = await setUp();
      expect(await parts.ask(text)).toEqual({ kind: 'refused', reason: 'malformed' });
    },
  );

  it('refuses bodies that do not fit, and networks that it does not know', async () => {
    const parts = await setUp();
    await parts.clientOf().capacity({ workspaceId: 'demo', network: 'vk' });
    const now = parts.clock.nowMs();
    const { timeoutMs: _, ...wanted } = REQUEST;
    const head = { requestId: 'r', issuedAt: now, sequence: 9 };
    const malformed = { kind: 'refused', reason: 'malformed' };
    const lease = { ...wanted, ...head, deadlineAt: now + 1000 };
    expect(await parts.ask(await signed(parts, 'lease', { ...lease, calls: 0 }))).toEqual(malformed);
    expect(await parts.ask(await signed(parts, 'lease', { ...lease, network: 'orkut' }))).toEqual(malformed);
    expect(await parts.ask(await signed(parts, 'settle', head))).toEqual(malformed);
    expect(await parts.ask(await signed(parts, 'capacity', { ...head, sequence: 0 }))).toEqual(malformed);
    const reports = [{ outcome: 'unsent', slot: 0 }];
    const settle = { leaseId: 'l', fence: 1, workspaceId: 'demo', network: 'orkut', importId: 'i', reports };
    expect(await parts.ask(await signed(parts, 'settle', { ...head, settles: [settle] }))).toEqual(malformed);
  });

  it('denies without a token that can be opened, and gives the slot back', async () => {
    const parts = await setUp();
    parts.kms.away = true;
    parts.clock.advance(400_000);
    const verdict = await parts.clientOf().acquire(REQUEST);
    const retryAt = parts.clock.nowMs() + 1000;
    expect(verdict).toEqual({ kind: 'denied', reason: 'tokens-unavailable', retryAt });
    expect(parts.refused).toEqual(['tokens-unavailable']);
    expect(parts.ledger.settled).toMatchObject([{ fence: 1, reports: [{ slot: 0, outcome: 'unsent' }] }]);
  });

  it('reads a key again that another instance registered a moment ago', async () => {
    const parts = await setUp();
    await parts.keys.update('demo', 'k1', (key) => key.pause(1), {
      actor: { kind: 'person', id: 'p' },
      action: 'x',
    });
    await parts.ring.refresh();
    const binding = { workspaceId: 'demo', keyId: 'k2', tokenVersion: 1 };
    const sealed = await parts.vault.seal(new Secret('vk1.a.second'), binding);
    await parts.keys.add(aKey('k2'), sealed, 'f2', { actor: { kind: 'person', id: 'p' }, action: 'x' });
    await parts.ledger.define([aKey('k2')]);
    const verdict = await parts.clientOf().acquire(REQUEST);
    expect(verdict.kind === 'granted' && verdict.lease.token.reveal()).toBe('vk1.a.second');
  });

  describe('what a worker measured of the path', () => {
    const report = (parts: Parts, more: object = {}) => ({
      requestId: 'r9',
      issuedAt: parts.clock.nowMs(),
      sequence: 900,
      network: 'vk',
      probes: [{ sentAt: parts.clock.nowMs() - 20, roundTripMs: 12.5 }],
      lateness: { sends: 4, meanMs: 0.5, maxMs: 2 },
      clockErrorMs: 0.3,
      ...more,
    });

    it('goes to the ledger, and the margin in force comes back', async () => {
      const parts = await setUp();
      await parts.clientOf().capacity({ workspaceId: 'demo', network: 'vk' });
      const learn = jest.spyOn(parts.ledger, 'learn');
      const { requestId, probes, lateness, clockErrorMs } = report(parts);
      learn.mockResolvedValueOnce({ kind: 'learned', poolNow: 5, marginMs: 23.5 });
      const answer = (await parts.ask(await signed(parts, 'path', report(parts)))) as { body: string };
      expect(JSON.parse(answer.body)).toEqual({ requestId, poolNow: 5, marginMs: 23.5 });
      expect(learn.mock.calls[0]?.[0]).toMatchObject({
        sequence: 900,
        rules: { network: 'vk' },
        probes,
        lateness,
        clockErrorMs,
      });
      expect(parts.margins).toEqual([['vk', 23.5]]);
    });

    it.each([
      ['malformed', { clockErrorMs: -1 }],
      ['malformed', { network: 'unheard-of' }],
      ['stale', { issuedAt: 1 }],
    ])('is refused as %s with %j', async (reason, more) => {
      const parts = await setUp();
      await parts.clientOf().capacity({ workspaceId: 'demo', network: 'vk' });
      expect(await parts.ask(await signed(parts, 'path', report(parts, more)))).toEqual({
        kind: 'refused',
        reason,
      });
      expect(parts.refused).toEqual([reason]);
      expect(parts.margins).toEqual([]);
    });

    it.each([
      ['replay', 'replay', ['replay']],
      ['recovering', 'unavailable', []],
    ] as const)('is denied by the ledger as %s and refused as %s', async (denied, reason, noted) => {
      const parts = await setUp();
      await parts.clientOf().capacity({ workspaceId: 'demo', network: 'vk' });
      jest.spyOn(parts.ledger, 'learn').mockResolvedValueOnce({ kind: 'denied', poolNow: 5, reason: denied });
      expect(await parts.ask(await signed(parts, 'path', report(parts)))).toEqual({
        kind: 'refused',
        reason,
      });
      expect(parts.refused).toEqual(noted);
      expect(parts.margins).toEqual([]);
    });
  });
});
