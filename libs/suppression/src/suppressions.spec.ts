import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@sociograph/kernel';
import { markOf, readSuppressionKey } from './mark';
import { Suppressions, type Mark } from './suppressions';

const BYTES = Buffer.alloc(32, 7);
const KEY = new Secret(BYTES.toString('base64'));

const aMark = (id: string, workspaceId = 'demo', network = 'vk'): Mark => ({
  workspaceId,
  network,
  mark: markOf(KEY, workspaceId, network, id),
  erasureId: 'e-1',
  at: 1,
});

describe('markOf', () => {
  it('is the HMAC-SHA-256 of workspace, network and id, line by line, under the decoded key', () => {
    expect(markOf(KEY, 'demo', 'vk', '107')).toBe(
      createHmac('sha256', BYTES).update('demo\nvk\n107').digest('hex'),
    );
  });

  it('differs by workspace, network, id and key', () => {
    const other = new Secret(Buffer.alloc(32, 8).toString('base64'));
    const marks = [
      markOf(KEY, 'demo', 'vk', '107'),
      markOf(KEY, 'demo', 'vk', '108'),
      markOf(KEY, 'demo', 'file', '107'),
      markOf(KEY, 'other', 'vk', '107'),
      markOf(other, 'demo', 'vk', '107'),
    ];
    expect(new Set(marks).size).toBe(5);
  });
});

describe('readSuppressionKey', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'suppression-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  const fileOf = (content: string): string => {
    const file = join(folder, 'key');
    writeFileSync(file, content);
    return file;
  };

  it('reads 32 bytes in base64, with a line break behind them', () => {
    expect(readSuppressionKey(fileOf(`${KEY.reveal()}\n`)).reveal()).toBe(KEY.reveal());
  });

  it.each([
    ['31 bytes', Buffer.alloc(31).toString('base64')],
    ['33 bytes', Buffer.alloc(33).toString('base64')],
    ['nothing', ''],
    ['what is no base64', `${KEY.reveal()} and more`],
  ])('refuses %s without showing it', (_, content) => {
    const file = fileOf(content);
    expect(() => readSuppressionKey(file)).toThrow(
      `The suppression key in ${file} must be 32 bytes in base64`,
    );
  });
});

describe('Suppressions', () => {
  it('knows a person by the mark, in that workspace and network only', () => {
    const suppressions = new Suppressions(KEY);
    expect(suppressions.add(aMark('107'))).toBe(true);
    expect(suppressions.isSuppressed('demo', 'vk', '107')).toBe(true);
    expect(suppressions.isSuppressed('demo', 'vk', '108')).toBe(false);
    expect(suppressions.isSuppressed('demo', 'file', '107')).toBe(false);
    expect(suppressions.isSuppressed('other', 'vk', '107')).toBe(false);
    expect([suppressions.concerns('demo', 'vk'), suppressions.concerns('other', 'vk')]).toEqual([
      true,
      false,
    ]);
  });

  it('counts a mark once and tells of it once', () => {
    const suppressions = new Suppressions(KEY);
    const told: Mark[] = [];
    suppressions.onMark((mark) => told.push(mark));
    suppressions.add(aMark('107'));
    expect(suppressions.add(aMark('107'))).toBe(false);
    suppressions.add(aMark('107', 'other'));
    expect(suppressions.size).toBe(2);
    expect(told).toEqual([aMark('107'), aMark('107', 'other')]);
  });

  it('forgets a verdict when a new mark comes', () => {
    const suppressions = new Suppressions(KEY);
    suppressions.add(aMark('1'));
    expect(suppressions.isSuppressed('demo', 'vk', '2')).toBe(false);
    suppressions.add(aMark('2'));
    expect(suppressions.isSuppressed('demo', 'vk', '2')).toBe(true);
    expect(suppressions.isSuppressed('demo', 'vk', '1')).toBe(true);
  });

  it('answers the same whether or not it remembers', () => {
    const suppressions = new Suppressions(KEY, 2);
    suppressions.add(aMark('3'));
    for (let round = 0; round < 2; round++) {
      const verdicts = ['1', '2', '3', '4', '5'].map((id) => suppressions.isSuppressed('demo', 'vk', id));
      expect(verdicts).toEqual([false, false, true, false, false]);
    }
  });

  it('takes erased people out of a list and leaves a list without them as it is', () => {
    const suppressions = new Suppressions(KEY);
    const ids = ['1', '2', '3'];
    expect(suppressions.without('demo', 'vk', ids)).toBe(ids);
    suppressions.add(aMark('9'));
    expect(suppressions.without('demo', 'vk', ids)).toBe(ids);
    suppressions.add(aMark('2'));
    expect(suppressions.without('demo', 'vk', ids)).toEqual(['1', '3']);
  });

  it('says the mark that a person would have', () => {
    expect(new Suppressions(KEY).markOf('demo', 'vk', '5')).toBe(markOf(KEY, 'demo', 'vk', '5'));
  });
});
