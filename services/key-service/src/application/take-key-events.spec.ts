import { fakeClock } from '@sociograph/testing';
import { aKey } from '../../test/builders';
import type { KeyEvent } from '../domain/key-events';
import { RecordingBroadcast, RecordingPoolReport } from '../infrastructure/in-memory';
import { RecordingOwnerNotices } from '../infrastructure/in-memory-refreshes';
import { KeyEventDesk } from './take-key-events';

const NOW = 7_000;

function setUp(
  options: { refreshable?: boolean; known?: string[]; foundLater?: string[]; version?: number } = {},
) {
  const steps: unknown[] = [];
  const known = new Set(options.known ?? ['k1', 'k2']);
  const broadcast = new RecordingBroadcast();
  const owners = new RecordingOwnerNotices();
  const report = new RecordingPoolReport();
  const announce = broadcast.announce.bind(broadcast);
  broadcast.announce = async (...told) => {
    steps.push(['announce', told[0].id, told[0].state]);
    await announce(...told);
  };
  const desk = new KeyEventDesk({
    ring: {
      key: (id) => (known.has(id) ? aKey(id, { tokenVersion: options.version ?? 1 }) : undefined),
      refresh: async () => {
        steps.push(['refresh ring']);
        for (const id of options.foundLater ?? []) known.add(id);
        return [];
      },
    },
    broadcast,
    invalid: {
      note: (...note) => void steps.push(['invalid', ...note]),
      write: async () => void steps.push(['write invalid']),
    },
    rests: {
      note: ({ keyId, kind }) => void steps.push(['rest', keyId, kind]),
      write: async () => void steps.push(['write rests']),
    },
    refreshes: {
      want: async (...wanted) => (steps.push(['want', ...wanted]), options.refreshable ?? true),
      run: async () => (steps.push(['run']), 1),
    },
    owners,
    report,
    clock: fakeClock(NOW),
  });
  return { desk, steps, broadcast, owners, report };
}

const event = (keyId: string, kind: KeyEvent['kind'], details: Partial<KeyEvent> = {}): KeyEvent => ({
  keyId,
  kind,
  code: 5,
  forMs: 0,
  ...details,
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('events of a settle', () => {
  it('tells the workers of a dead key before anything is written', () => {
    const { desk, steps, broadcast, report } = setUp();
    desk.take([event('k1', 'resting'), event('k2', 'invalid', { reason: 'needs-owner' })], 'parser-service');
    expect(steps).toEqual([
      ['announce', 'k1', 'active'],
      ['announce', 'k2', 'invalid'],
      ['rest', 'k1', 'resting'],
      ['invalid', 'k2', 'needs-owner', 'parser-service'],
      ['write invalid'],
      ['write rests'],
    ]);
    expect(broadcast.announced[1]).toEqual({ id: 'k2', state: 'invalid', at: NOW });
    expect(report.events.map(({ keyId, kind }) => [keyId, kind])).toEqual([
      ['k1', 'resting'],
      ['k2', 'invalid'],
    ]);
  });

  it('says until when slots of a resting key are void, and from where a key is barred', () => {
    const { desk, broadcast } = setUp();
    desk.take([event('k1', 'resting', { untilAt: 9_000 })], 'parser-service');
    desk.take([event('k1', 'egress-barred', { egress: 'home', untilAt: 9_000 })], 'parser-service');
    expect(broadcast.announced).toEqual([
      { id: 'k1', state: 'active', at: NOW, restingUntil: 9_000 },
      { id: 'k1', state: 'paused', at: NOW, egress: 'home' },
    ]);
  });

  it('keeps what workers need not know from them', () => {
    const { desk, steps, broadcast } = setUp();
    desk.take(
      [event('k1', 'method-resting'), event('k1', 'method-barred'), event('k1', 'method-returned')],
      'parser-service',
    );
    desk.take([event('k1', 'egress-returned'), event('k1', 'circuit-open')], 'parser-service');
    expect(broadcast.announced).toEqual([]);
    expect(steps.filter((step) => (step as unknown[])[0] === 'rest')).toHaveLength(4);
    desk.take([event('k1', 'circuit-closed')], 'parser-service');
    expect(steps.filter((step) => (step as unknown[])[0] === 'write rests')).toHaveLength(2);
  });

  it('looks for a key that another instance registered a moment ago', async () => {
    const { desk, broadcast, steps } = setUp({ known: [], foundLater: ['k1'] });
    desk.take([event('k1', 'invalid')], 'parser-service');
    await settled();
    expect(broadcast.announced).toEqual([{ id: 'k1', state: 'invalid', at: NOW }]);
    desk.take([event('k9', 'invalid')], 'parser-service');
    await settled();
    expect(broadcast.announced).toHaveLength(1);
    expect(steps).toContainEqual(['invalid', 'k9', 'token-refused', 'parser-service']);
  });

  it('tells owners what only they can mend', () => {
    const { desk, owners } = setUp();
    desk.take(
      [
        event('k1', 'needs-owner', { reason: 'captcha-needed' }),
        event('k2', 'foreign-use'),
        event('k9', 'foreign-use'),
        event('k1', 'resting'),
      ],
      'parser-service',
    );
    expect(owners.told).toEqual([
      { keyId: 'k1', change: 'key.needs-owner', reason: 'captcha-needed' },
      { keyId: 'k2', change: 'key.foreign-use', reason: 'foreign-use' },
    ]);
  });

  it('has another token fetched, with the workers told first', async () => {
    const { desk, steps } = setUp();
    desk.take([event('k1', 'refresh-needed', { tokenVersion: 4 })], 'parser-service');
    await settled();
    expect(steps).toEqual([['announce', 'k1', 'paused'], ['want', 'k1', 4], ['run']]);
  });

  it('makes a key invalid that has no refresh token after all', async () => {
    const { desk, steps } = setUp({ refreshable: false, version: 4 });
    desk.take(
      [event('k1', 'refresh-needed', { tokenVersion: 4, reason: 'token-expired' })],
      'parser-service',
    );
    await settled();
    expect(steps.slice(1)).toEqual([
      ['want', 'k1', 4],
      ['refresh ring'],
      ['invalid', 'k1', 'token-expired', 'parser-service'],
      ['write invalid'],
    ]);
  });

  it('leaves a key alone that got another token meanwhile', async () => {
    const { desk, steps } = setUp({ refreshable: false, version: 5 });
    desk.refresh('k1', 4, 'token-refused', 'key-service');
    // While the first is looked at: it would wait for the same.
    desk.refresh('k1', 4, 'token-refused', 'key-service');
    await settled();
    expect(steps).toEqual([['want', 'k1', 4], ['refresh ring']]);
  });

  it('survives whatever fails, and says so', async () => {
    const { report } = setUp();
    const fails = async (): Promise<never> => {
      throw new Error('away');
    };
    const broadcast = new RecordingBroadcast();
    broadcast.announce = fails;
    const desk = new KeyEventDesk({
      ring: { key: (id) => aKey(id), refresh: fails },
      broadcast,
      invalid: { note: () => undefined, write: fails },
      rests: { note: () => undefined, write: fails },
      refreshes: { want: fails, run: fails },
      owners: new RecordingOwnerNotices(),
      report,
      clock: fakeClock(NOW),
    });
    desk.take(
      [event('k1', 'invalid'), event('k1', 'resting'), event('k1', 'refresh-needed', { tokenVersion: 1 })],
      'parser-service',
    );
    await settled();
    expect(report.failures.map(([sentence]) => sentence)).toEqual([
      'workers could not be told of a key',
      'workers could not be told of a key',
      'workers could not be told of a key',
      'a token could not be refreshed',
    ]);
  });
});

describe('a key whose owner has to give consent again', () => {
  it('is told of, and counted like anything else that answers change', () => {
    const { desk, owners, report, steps } = setUp();
    desk.consentNeeded('k1', 'refresh-answer-lost: invalid_grant');
    const reason = 'refresh-answer-lost: invalid_grant';
    expect(owners.told).toEqual([{ keyId: 'k1', change: 'key.needs-owner', reason }]);
    expect(report.events).toEqual([{ keyId: 'k1', kind: 'needs-owner', code: 0, forMs: 0, reason }]);
    expect(steps).toEqual([]);
  });
});
