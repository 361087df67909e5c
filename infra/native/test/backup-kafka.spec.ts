import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dumpTopics } from '../src/backup/kafka-dump';
import { loadTopic, type TopicCopy } from '../src/backup/kafka-load';
import { boundsOf, commitOffsets, kafkaOf, offsetsOf, type RecordLine } from '../src/backup/kafka-log';
import { LinesFile, readLines } from '../src/backup/lines-file';
import { tellSuppressions } from '../src/backup/tell-suppressions';

jest.setTimeout(180_000);

describe('topics', () => {
  const {
    KAFKA_BROKERS: brokers = '',
    ADMIN_KAFKA_USERNAME: username,
    ADMIN_KAFKA_PASSWORD: password,
  } = process.env;
  const credentials = username === undefined || password === undefined ? undefined : { username, password };
  const connection = { brokers: brokers.split(','), credentials };
  const kafka = kafkaOf(connection);
  const admin = kafka.admin();
  const folder = mkdtempSync(join(tmpdir(), 'backup-kafka-'));
  const made: string[] = [];
  const keptOnes = { 'cleanup.policy': 'delete', 'retention.ms': '-1' };
  const compacted = { 'cleanup.policy': 'compact', 'segment.ms': '3600000' };

  beforeAll(() => admin.connect());
  afterAll(async () => {
    await admin.deleteTopics({ topics: made });
    await admin.disconnect();
    rmSync(folder, { recursive: true, force: true });
  });

  const create = async (partitions: number, config: Record<string, string>): Promise<string> => {
    const name = `spec.backup.${randomBytes(5).toString('hex')}`;
    const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic: name, numPartitions: partitions, configEntries }],
    });
    made.push(name);
    return name;
  };
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const line = (p: number, o: number, more: Partial<RecordLine> = {}): RecordLine => ({
    ...{ p, o, t: String(1_795_000_000_000 + o), k: base64(`k${o}`), v: base64(`v${o}`) },
    ...more,
  });
  const write = async (name: string, lines: readonly RecordLine[]): Promise<string> => {
    const path = join(folder, name);
    const file = new LinesFile(path);
    for (const each of lines) await file.write(each);
    await file.close();
    return path;
  };
  const dumped = async (topic: string, config: Record<string, string>) => {
    const into = mkdtempSync(join(folder, 'dump-'));
    const bounds = await dumpTopics(connection, [{ name: topic, config }], into);
    const file = join(into, `${topic}.jsonl.gz`);
    const lines: RecordLine[] = [];
    if (existsSync(file)) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      for await (const each of readLines<RecordLine>(file)) lines.push(each);
    }
    return { bounds: bounds[topic], lines: lines.toSorted((a, b) => a.p - b.p || a.o - b.o) };
  };
  const load = (copy: Omit<TopicCopy, 'compacted'> & { compacted?: boolean }): Promise<void> =>
    loadTopic(kafka, { compacted: false, ...copy });

  it('get back every record at the offset that it had, as it was, behind what retention took', async () => {
    const topic = await create(3, keptOnes);
    const header = (name: string, value: string): [string, string] => [name, base64(value)];
    const lines = [
      line(0, 3, { h: [header('ce_type', 'a'), header('twice', '1'), header('twice', 'ж')] }),
      line(0, 4, { v: null }),
      line(1, 0, { k: null, v: Buffer.from([0, 255, 128]).toString('base64') }),
      line(1, 1),
    ];
    const bounds = [
      { partition: 0, low: 3, high: 5 },
      { partition: 1, low: 0, high: 2 },
      { partition: 2, low: 4, high: 4 },
    ];
    await load({ topic, file: await write('kept', lines), bounds });
    expect(await dumped(topic, keptOnes)).toEqual({ bounds, lines });
  });

  it('keep their length where compaction left holes; markers stand in for what it took', async () => {
    const topic = await create(1, compacted);
    const lines = [line(0, 2), line(0, 12_003)];
    const bounds = [{ partition: 0, low: 0, high: 12_006 }];
    await load({ topic, compacted: true, file: await write('holes', lines), bounds });
    const after = await dumped(topic, compacted);
    expect(after.bounds).toEqual(bounds);
    expect(after.lines).toHaveLength(12_006);
    expect([2, 12_003].map((at) => after.lines[at])).toEqual(lines);
    const others = after.lines.filter(({ o }) => o !== 2 && o !== 12_003);
    expect(new Set(others.map(({ k, v }) => `${k} ${v}`))).toEqual(new Set([`${base64('restored')} null`]));
  });

  it('that are not empty are refused before anything stands at a wrong offset for long', async () => {
    const topic = await create(1, keptOnes);
    const copy = {
      topic,
      file: await write('one', [line(0, 0)]),
      bounds: [{ partition: 0, low: 0, high: 1 }],
    };
    await load(copy);
    await expect(load(copy)).rejects.toThrow(
      `${topic}, partition 0: a record was to get offset 0 and got 1. Somebody else writes to this Kafka`,
    );
    await expect(load({ ...copy, file: await write('far', [line(7, 0)]) })).rejects.toThrow(
      `${topic} has no partition 7`,
    );
  });

  it('of a backup that names an offset twice are refused', async () => {
    const topic = await create(1, keptOnes);
    const bounds = [{ partition: 0, low: 0, high: 2 }];
    const file = await write('twice', [line(0, 0), line(0, 1), line(0, 0)]);
    await expect(load({ topic, bounds, file })).rejects.toThrow(
      'the backup has offset 0 twice, or not in its order',
    );
  });

  it('without records have no file, and those that are not there are left out', async () => {
    const topic = await create(1, keptOnes);
    expect(await dumped(topic, keptOnes)).toEqual({ bounds: [{ partition: 0, low: 0, high: 0 }], lines: [] });
    expect(await boundsOf(kafka, [`${topic}.absent`])).toEqual({});
  });

  it('have their groups begin again where those had come to', async () => {
    const [one, two] = [await create(2, keptOnes), await create(1, keptOnes)];
    for (const [topic, partitions] of [
      [one, 2],
      [two, 1],
    ] as const) {
      const bounds = Array.from({ length: partitions }, (_, partition) => ({ partition, low: 0, high: 5 }));
      await load({ topic, file: undefined, bounds });
    }
    const group = `spec.backup.${randomBytes(5).toString('hex')}`;
    const offsets = { [group]: { [one]: { '0': 2, '1': 5 }, [two]: { '0': 0 } } };
    await commitOffsets(kafka, offsets);
    expect(await offsetsOf(kafka, [group, `${group}.unknown`], [one, two])).toEqual(offsets);
    expect(await offsetsOf(kafka, [group], [two])).toEqual({ [group]: { [two]: { '0': 0 } } });

    const member = kafka.consumer({ groupId: group, sessionTimeout: 6_000, maxWaitTimeInMs: 100 });
    await member.connect();
    await member.subscribe({ topics: [two] });
    const joined = new Promise((resolve) => member.on(member.events.GROUP_JOIN, resolve));
    await member.run({ autoCommit: false, eachMessage: async () => undefined });
    await joined;
    await expect(commitOffsets(kafka, offsets)).rejects.toThrow(
      `Somebody reads as ${group}: end the fleet before its offsets are set.`,
    );
    await member.disconnect();
    await admin.deleteGroups([group]);
  });

  it('of suppressions get marks that services know how to read', async () => {
    const topic = await create(1, keptOnes);
    const mark = {
      workspaceId: 'demo',
      network: 'vk',
      mark: 'ab'.repeat(32),
      erasureId: 'ab',
      at: 1_795_000_000_000,
    };
    await tellSuppressions(kafka, [mark], topic);
    const { lines } = await dumped(topic, keptOnes);
    expect(lines).toHaveLength(1);
    const [{ k, v, h = [] }] = lines as [RecordLine];
    expect(Buffer.from(k as string, 'base64').toString()).toBe(`demo:vk:${mark.mark}`);
    expect(JSON.parse(Buffer.from(v as string, 'base64').toString())).toEqual(mark);
    const headers = Object.fromEntries(
      h.map(([name, value]) => [name, Buffer.from(value, 'base64').toString()]),
    );
    expect(headers).toMatchObject({
      ce_type: 'sociograph.graph.person-suppressed.v1',
      ce_time: '2026-11-18T11:06:40.000Z',
    });
  });
});
