import { createHash, pbkdf2Sync } from 'node:crypto';
import { accessEntries } from './kafka-admin';
import { scramCredential } from './kafka';
import { grants } from './postgres-roles';
import { passwordHash } from './rabbitmq';

describe('accessEntries', () => {
  it('lets an account read whole topics, topics by prefix, and its own groups, and nothing else', () => {
    const entries = accessEntries('graph', { read: ['social.*'], write: ['changes.v1'], groups: ['graph'] });
    const short = entries.map(
      (entry) =>
        `${entry.resourceType} ${entry.resourcePatternType} ${entry.resourceName} ${entry.operation}`,
    );
    // Resource types: topic 2, group 3. Patterns: literal 3, prefixed 4. Operations: read 3, write 4, delete 6,
    // describe 8, describe configs 10.
    expect(short).toEqual([
      '2 4 social. 3',
      '2 4 social. 8',
      '2 4 social. 10',
      '2 3 changes.v1 4',
      '2 3 changes.v1 8',
      '3 4 graph 3',
      '3 4 graph 8',
      '3 4 graph 6',
    ]);
    expect(
      new Set(entries.map((entry) => `${entry.principal} ${entry.host} ${entry.permissionType}`)),
    ).toEqual(new Set(['User:graph * 3']));
  });

  it('takes a lone star as all topics, not as the empty prefix', () => {
    const [entry] = accessEntries('observer', { read: ['*'], write: [], groups: [] });
    expect(entry).toMatchObject({ resourceName: '*', resourcePatternType: 3 });
  });
});

describe('scramCredential', () => {
  it('says the salted password, never the password', () => {
    const text = scramCredential('admin', 'secret-password', 4096);
    const salt = /salt="([^"]+)"/.exec(text)?.[1] as string;
    const salted = pbkdf2Sync('secret-password', Buffer.from(salt, 'base64'), 4096, 64, 'sha512').toString(
      'base64',
    );
    expect(text).toBe(`SCRAM-SHA-512=[name=admin,iterations=4096,salt="${salt}",saltedpassword="${salted}"]`);
    expect(text).not.toContain('secret-password');
  });
});

describe('passwordHash', () => {
  it("is RabbitMQ's salt of four bytes and the SHA-256 of salt and password", () => {
    const raw = Buffer.from(passwordHash('pw'), 'base64');
    expect(raw).toHaveLength(36);
    const hash = createHash('sha256').update(raw.subarray(0, 4)).update('pw').digest();
    expect(raw.subarray(4).equals(hash)).toBe(true);
    expect(passwordHash('pw')).toBe(passwordHash('pw'));
    expect(passwordHash('pw')).not.toBe(passwordHash('pw2'));
  });
});

describe('grants', () => {
  it('lets app and worker in, and leaves rights on tables to the migrations', () => {
    const sql = grants('key_service');
    expect(sql).toContain('ALTER SCHEMA public OWNER TO "key_service_owner"');
    expect(sql).toContain('REVOKE ALL ON DATABASE "key_service" FROM PUBLIC');
    expect(sql.match(/GRANT .*/g)).toEqual([
      'GRANT CONNECT ON DATABASE "key_service" TO "key_service_app", "key_service_worker";',
      'GRANT USAGE ON SCHEMA public TO "key_service_app", "key_service_worker";',
    ]);
  });
});
