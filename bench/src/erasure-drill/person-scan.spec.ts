import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { seeded } from '@sociograph/testing';
import { needlesOfPerson, unmistakable } from './person';
import { kindOf, PersonScan } from './person-scan';

const person = unmistakable(seeded(3));

/** A record batch as Kafka stores it; only what the reader looks at is filled. */
function aBatch(records: Buffer, codec: number): Buffer {
  const head = Buffer.alloc(61);
  head.writeInt32BE(49 + records.length, 8);
  head.writeInt16BE(codec, 21);
  return Buffer.concat([head, records]);
}

describe('kinds of places', () => {
  it.each([
    ['data/kafka/log/sociograph.graph.changes.v1-0/00000000000000000000.log', 'topic segments'],
    ['data/postgres/pg_wal/000000010000000000000003', 'write-ahead log of PostgreSQL'],
    ['data/postgres/base/16400/16411', 'tables and indexes of PostgreSQL'],
    ['data/arango/generation-3', 'files of the graph store'],
    ['data/redis-pool/appendonlydir/appendonly.aof.1.incr.aof', 'files of redis-pool'],
    ['data/rabbitmq/mnesia/x', 'files of RabbitMQ'],
    ['exports/demo/x.gexf', 'exports'],
    ['logs/gateway.log', 'logs'],
    ['traces/spans-1.jsonl', 'traces'],
    ['processes.json', 'other files'],
  ])('%s', (path, kind) => expect(kindOf(path)).toBe(kind));
});

describe('the look for a person', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'person-scan-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const put = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  const looked = (): PersonScan => {
    const scan = new PersonScan(needlesOfPerson(person));
    scan.lookBelow(folder);
    return scan;
  };

  it('says file, place in it, and in which shape, once each', () => {
    put('logs/a.log', `xx${person.first} and ${person.id}, ${person.id}`);
    put('exports/b.gz', gzipSync(person.last));
    expect(looked().traces).toEqual(
      expect.arrayContaining([
        { kind: 'logs', place: 'logs/a.log', at: 2, what: 'first name', encoding: 'raw' },
        { kind: 'logs', place: 'logs/a.log', at: 29, what: 'id', encoding: 'raw' },
        { kind: 'exports', place: 'exports/b.gz, unpacked', at: 0, what: 'last name', encoding: 'raw' },
      ]),
    );
    expect(looked().traces).toHaveLength(3);
  });

  it('finds what lies across two pieces of a large file, and says its place in the file', () => {
    const large = Buffer.alloc(9 * 1024 * 1024, 0x20);
    const at = 8 * 1024 * 1024 - 5;
    large.write(person.id, at);
    put('data/arango/generation-1', large);
    expect(looked().traces).toEqual([
      {
        kind: 'files of the graph store',
        place: 'data/arango/generation-1',
        at,
        what: 'id',
        encoding: 'raw',
      },
    ]);
  });

  it('opens packed batches, also of segments that wait to be removed, and says which it cannot open', () => {
    const log = (name: string): string => `data/kafka/log/t-0/${name}`;
    put(log('00000000000000000000.log'), aBatch(gzipSync(`v ${person.id}`), 1));
    put(log('00000000000000000005.log.deleted'), aBatch(gzipSync(person.last), 1));
    put(log('00000000000000000007.log'), aBatch(Buffer.from('zstd'), 4));
    put(log('00000000000000000007.index'), person.id);
    const { traces, unread, files } = looked();
    expect(traces.map(({ place, what }) => `${place}: ${what}`).sort()).toEqual([
      `${log('00000000000000000000.log')}, unpacked: id`,
      `${log('00000000000000000005.log.deleted')}, unpacked: last name`,
    ]);
    expect(unread).toEqual([
      `${log('00000000000000000007.log')}: 1 batches in a compression that is not known here`,
    ]);
    expect(files).toBe(3);
  });

  it('unpacks what lies packed in documents of the store, and leaves alone what only begins like it', () => {
    const packed = gzipSync(`checkpoint of ${person.id} and others`).toString('base64');
    put('data/arango/generation-1', `{"data":"${packed}"} {"data":"H4sI${'A'.repeat(40)}"}`);
    expect(looked().traces).toEqual([
      {
        ...{ kind: 'files of the graph store', place: 'data/arango/generation-1, unpacked at 9' },
        ...{ at: 14, what: 'id', encoding: 'raw' },
      },
    ]);
  });

  it('finds nothing where somebody else is', () => {
    put('logs/a.log', JSON.stringify(unmistakable(seeded(4))));
    expect(looked().traces).toEqual([]);
  });
});
