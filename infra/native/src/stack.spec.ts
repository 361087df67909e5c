import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStack, Ports } from './stack';

describe('Ports', () => {
  it('gives every server, service and instance a port of its own', () => {
    const ports = new Ports(30_000);
    expect(ports.of('postgres')).toBe(30_001);
    expect(ports.of('arango')).toBe(30_014);
    expect(ports.of('gatewayProxy')).toBe(30_020);
    expect(ports.http('key-service', 0)).toBe(30_100);
    expect(ports.http('read-model-projector', 9)).toBe(30_139);
    expect(ports.management('parser-service', 2)).toBe(30_212);
  });

  it.each([1023, 65_236, 1.5, Number.NaN])('refuses %d as a base', (base) => {
    expect(() => new Ports(base)).toThrow(`The port base must be a number from 1024 to 65235, not ${base}`);
  });

  it.each([-1, 10, 0.5])('refuses instance %d: it would take the port of the next service', (instance) => {
    expect(() => new Ports(30_000).http('key-service', instance)).toThrow('Instances are numbered 0 to 9');
  });
});

describe('openStack', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'stack-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('remembers the ports it was first given', () => {
    openStack({ root, name: 'mine', portBase: 31_000 });
    expect(openStack({ root, name: 'mine' }).ports.base).toBe(31_000);
    expect(openStack({ root, name: 'mine', portBase: 32_000 }).ports.base).toBe(32_000);
    expect(openStack({ root, name: 'mine' }).ports.base).toBe(32_000);
  });

  it('has usual ports for dev and test, below those that outgoing connections use', () => {
    expect(openStack({ root }).ports.base).toBe(27_000);
    expect(openStack({ root, name: 'test' }).ports.base).toBe(28_000);
  });

  it('wants ports for a stack that it does not know', () => {
    expect(() => openStack({ root, name: 'other' })).toThrow(
      'Stack "other" is new: give it its ports with --port-base N',
    );
  });

  it.each(['', '../x', 'Dev', '1st'])('refuses %j as a name: it becomes a folder', (name) => {
    expect(() => openStack({ root, name })).toThrow(
      "A stack's name is lower-case letters, digits and dashes",
    );
  });

  it("takes the user's servers from the environment of `up` and remembers them for the other commands", () => {
    const environment = { KAFKA_BROKERS: 'k:9092', ARANGO_URL: '', HOME: '/home/me' };
    expect(openStack({ root, environment }).given).toEqual({ KAFKA_BROKERS: 'k:9092' });
    expect(openStack({ root }).given).toEqual({ KAFKA_BROKERS: 'k:9092' });
    expect(openStack({ root, environment: {} }).given).toEqual({});
    expect(openStack({ root }).given).toEqual({});
  });

  it("does not take a stack's own env.json for servers of the user's", () => {
    const environment = { KAFKA_BROKERS: '127.0.0.1:28009', SOCIOGRAPH_STACK: 'test' };
    expect(openStack({ root, environment }).given).toEqual({});
  });

  it('keeps generated secrets in files of mode 0600 and hands out the same ones again', () => {
    const { secrets, dir } = openStack({ root });
    const password = secrets.password('postgres.admin');
    expect(password).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(openStack({ root }).secrets.password('postgres.admin')).toBe(password);
    expect(secrets.password('postgres.app')).not.toBe(password);
    const identity = secrets.identity('lease.parser-service');
    expect(identity.publicPem).toContain('BEGIN PUBLIC KEY');
    expect(readFileSync(identity.privateFile, 'utf8')).toContain('BEGIN PRIVATE KEY');
    for (const file of ['postgres.admin', 'lease.parser-service.pem']) {
      expect(statSync(join(dir, 'secrets', file)).mode & 0o777).toBe(0o600);
    }
    expect(existsSync(join(dir, 'logs'))).toBe(true);
  });
});
