import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { askRabbit, inPostgres, withPath } from '@sociograph/testing';
import { Redis } from 'ioredis';
import { CompressionTypes } from 'kafkajs';
import { fromStack } from '../fleet';
import { kafka } from '../read-topic';
import { stackFolder } from './places';

/** A secret in every shape that text can have, made without the scanner's own code. */
export function everyShapeOf(secret: string): string {
  const bytes = Buffer.from(secret, 'utf8');
  const behind = (count: number): Buffer =>
    Buffer.concat([Buffer.alloc(count, 0x5a), bytes, Buffer.from('zz')]);
  const percent = encodeURIComponent(secret);
  return [
    `raw=${secret};`,
    `reversed=${[...secret].reverse().join('')};`,
    `hex=${bytes.toString('hex')};`,
    `HEX=${bytes.toString('hex').toUpperCase()};`,
    `percent=${percent};`,
    `percent, lower=${percent.replace(/%../g, (code) => code.toLowerCase())};`,
    ...[0, 1, 2].flatMap((count) => [
      `base64=${behind(count).toString('base64')};`,
      `base64url=${behind(count).toString('base64url')};`,
    ]),
  ].join(' ');
}

/**
 * Puts a control into each kind of place that is looked into: a scan that does not find it there would not have found a
 * token either. `remove` takes all of it away.
 */
export class Controls {
  readonly name = `canary_control_${randomUUID().slice(0, 8)}`;
  readonly #undo: (() => Promise<unknown> | void)[] = [];
  page = '';
  process: { name: string; pid?: number; ports: Record<string, number> } | undefined;

  constructor(private readonly secret: string) {}

  async plant(): Promise<void> {
    const shapes = everyShapeOf(this.secret);
    await this.#inPostgres(shapes);
    for (const which of ['POOL', 'CACHE']) await this.#inRedis(fromStack(`ADMIN_REDIS_${which}_URL`), shapes);
    await this.#inRabbit(shapes);
    await this.#inKafka(shapes);
    this.#inLogs(shapes);
    await this.#onPage(shapes);
    this.#inProcess(shapes);
  }

  async remove(): Promise<void> {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) await undo();
  }

  async #inPostgres(shapes: string): Promise<void> {
    const url = withPath(fromStack('ADMIN_DATABASE_URL'), 'key_service');
    await inPostgres(url, async (client) => {
      await client.query(`CREATE TABLE ${this.name} (plain text, bytes bytea)`);
      await client.query(`ALTER TABLE ${this.name} ALTER plain SET STORAGE EXTERNAL`);
      await client.query(`INSERT INTO ${this.name} VALUES ($1, $2)`, [shapes, Buffer.from(this.secret)]);
      // Long and repetitive: PostgreSQL stores it compressed.
      await client.query(`CREATE TABLE ${this.name}_packed (packed text)`);
      await client.query(`INSERT INTO ${this.name}_packed VALUES ($1)`, [
        `${'and so on '.repeat(500)}${this.secret}`,
      ]);
    });
    this.#undo.push(() =>
      inPostgres(url, (client) => client.query(`DROP TABLE ${this.name}, ${this.name}_packed`)),
    );
  }

  async #inRedis(url: string, shapes: string): Promise<void> {
    const redis = new Redis(url);
    const keys = ['text', 'hash', 'list', 'set', 'zset'].map((kind) => `${this.name}:${kind}`);
    const [text = '', hash = '', list = '', set = '', zset = ''] = keys;
    await redis.set(text, shapes);
    await redis.hset(hash, 'field', this.secret);
    await redis.rpush(list, this.secret);
    await redis.sadd(set, this.secret);
    await redis.zadd(zset, 1, this.secret);
    this.#undo.push(async () => {
      await redis.del(...keys);
      redis.disconnect();
    });
  }

  async #inRabbit(shapes: string): Promise<void> {
    const broker = fromStack('RABBITMQ_MANAGEMENT_URL');
    const queue = `queues/sociograph/${this.name}`;
    await askRabbit(broker, 'PUT', queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    this.#undo.push(() => askRabbit(broker, 'DELETE', queue));
    await askRabbit(broker, 'POST', 'exchanges/sociograph/amq.default/publish', {
      properties: { delivery_mode: 2, headers: { control: shapes } },
      routing_key: this.name,
      payload: shapes,
      payload_encoding: 'string',
    });
  }

  async #inKafka(shapes: string): Promise<void> {
    const client = kafka();
    const admin = client.admin();
    await admin.connect();
    await admin.createTopics({
      topics: ['plain', 'gzip'].map((kind) => ({ topic: `${this.name}.${kind}` })),
    });
    const producer = client.producer();
    await producer.connect();
    const messages = [{ key: shapes, value: shapes, headers: { control: shapes } }];
    await producer.send({ topic: `${this.name}.plain`, messages });
    await producer.send({ topic: `${this.name}.gzip`, messages, compression: CompressionTypes.GZIP });
    await producer.disconnect();
    this.#undo.push(async () => {
      await admin.deleteTopics({ topics: [`${this.name}.plain`, `${this.name}.gzip`] });
      await admin.disconnect();
    });
  }

  #inLogs(shapes: string): void {
    const plain = join(stackFolder(), 'logs', `${this.name}.log`);
    writeFileSync(plain, `${JSON.stringify({ level: 30, msg: shapes })}\n`);
    writeFileSync(`${plain}.gz`, gzipSync(shapes));
    this.#undo.push(() => [plain, `${plain}.gz`].forEach((file) => rmSync(file, { force: true })));
  }

  async #onPage(shapes: string): Promise<void> {
    const server: Server = createServer((_request, response) =>
      response.end(`api_calls_total{key="${shapes}"} 1\n`),
    );
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    this.page = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
    this.#undo.push(() => void server.close());
  }

  #inProcess(shapes: string): void {
    const child: ChildProcess = spawn(
      process.execPath,
      ['-e', 'setTimeout(() => undefined, 120000)', shapes],
      {
        env: { CONTROL: shapes },
        stdio: 'ignore',
      },
    );
    this.process = { name: 'control', ports: {}, ...(child.pid !== undefined && { pid: child.pid }) };
    this.#undo.push(() => void child.kill('SIGKILL'));
  }
}
