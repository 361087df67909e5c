import {
  messageType,
  TOPICS,
  userObserved,
  vertexChanged,
  type MessageDefinition,
} from '@sociograph/contracts';
import type { KafkaMessage } from 'kafkajs';
import {
  inputPositionsOf,
  isEvent,
  nameOf,
  parseRecord,
  topicByName,
  topicOfMessage,
  type EventRecord,
} from './event-record';

const headers = {
  ce_type: Buffer.from('sociograph.social.user-observed.v1'),
  ce_id: 'id-1',
  ce_source: 'parser-service',
  ce_subject: 'user/107',
  ce_correlationid: 'import-7',
  traceparent: ['00-a-b-01', 'second'],
  absent: undefined,
};

function aMessage(changes: Partial<KafkaMessage> = {}): KafkaMessage {
  return {
    key: Buffer.from('demo:vk:user:107'),
    value: Buffer.from(JSON.stringify({ ...userObserved.example, added: 'later' })),
    offset: '41',
    timestamp: '1795000000000',
    attributes: 0,
    headers,
    ...changes,
  } as KafkaMessage;
}

function recordOf(
  message: KafkaMessage,
  topic: Parameters<typeof parseRecord>[0] = TOPICS.users,
): EventRecord {
  const parsed = parseRecord(topic, 3, message);
  if (parsed.kind !== 'event') throw new Error(parsed.rejected.code);
  return parsed.record;
}

function rejection(
  changes: Partial<KafkaMessage>,
  topic: Parameters<typeof parseRecord>[0] = TOPICS.users,
): unknown[] {
  const parsed = parseRecord(topic, 3, aMessage(changes));
  return parsed.kind === 'rejected' ? [parsed.rejected.code, parsed.rejected.reason] : ['accepted'];
}

describe('parseRecord', () => {
  it('reads place, key, headers and payload; fields of later versions are dropped', () => {
    expect(parseRecord(TOPICS.users, 3, aMessage())).toEqual({
      kind: 'event',
      offset: 41,
      topic: 'sociograph.social.users.v1',
      raw: aMessage(),
      record: {
        topic: 'sociograph.social.users.v1',
        partition: 3,
        offset: 41,
        key: 'demo:vk:user:107',
        message: userObserved,
        value: userObserved.example,
        id: 'id-1',
        source: 'parser-service',
        timestampMs: 1795000000000,
        subject: 'user/107',
        correlationId: 'import-7',
        headers: {
          ce_type: 'sociograph.social.user-observed.v1',
          ce_id: 'id-1',
          ce_source: 'parser-service',
          ce_subject: 'user/107',
          ce_correlationid: 'import-7',
          traceparent: '00-a-b-01',
        },
      },
    });
  });

  it('takes a record without value as a tombstone, with or without type', () => {
    expect(recordOf(aMessage({ value: null }))).toMatchObject({ value: null, message: userObserved });
    expect(recordOf(aMessage({ value: null, headers: {} }))).toMatchObject({
      value: null,
      message: undefined,
    });
  });

  it('rejects what cannot be understood, and says why without showing values', () => {
    expect(rejection({ key: null })).toEqual(['EVENT.KEY_MISSING', 'the record has no key']);
    expect(rejection({ headers: {} })).toEqual(['EVENT.TYPE_MISSING', 'the header ce_type is missing']);
    expect(rejection({ headers: { ce_type: 'x'.repeat(200) } })).toEqual([
      'EVENT.TYPE_UNKNOWN',
      `the type ${'x'.repeat(128)} does not belong here`,
    ]);
    expect(rejection({ value: Buffer.from('{') })).toEqual(['EVENT.NOT_JSON', 'the value is no JSON']);
    const nameless = { ...userObserved.example, profile: { firstName: 'Vera' } };
    const [code, reason] = rejection({ value: Buffer.from(JSON.stringify(nameless)) });
    expect(code).toBe('EVENT.INVALID');
    expect(reason).toMatch(/^profile\.lastName: /);
    expect(rejection({ value: Buffer.from('7') })[1]).toMatch(/^the value: /);
  });

  it('rejects a message of another topic where the topic is given by definition, not where by name', () => {
    const value = Buffer.from(JSON.stringify(vertexChanged.example));
    const changes = { value, headers: { ce_type: messageType(vertexChanged) } };
    expect(rejection(changes)[0]).toBe('EVENT.TYPE_UNKNOWN');
    expect(rejection(changes, 'any-name')).toEqual(['accepted']);
    expect(rejection({ headers: { ce_type: 'nobody.v1' } }, 'any-name')[0]).toBe('EVENT.TYPE_UNKNOWN');
  });

  it('keeps place, key and bytes of a rejected record', () => {
    const message = aMessage({ value: Buffer.from('{') });
    expect(parseRecord('some-topic', 3, message)).toMatchObject({
      kind: 'rejected',
      offset: 41,
      topic: 'some-topic',
      rejected: { topic: 'some-topic', partition: 3, offset: 41, key: 'demo:vk:user:107', raw: message },
    });
  });
});

describe('records', () => {
  it('narrow to the message they carry; a tombstone carries none', () => {
    expect(isEvent(recordOf(aMessage()), userObserved)).toBe(true);
    expect(isEvent(recordOf(aMessage()), vertexChanged)).toBe(false);
    expect(isEvent(recordOf(aMessage({ value: null })), userObserved)).toBe(false);
  });

  it('name the input that is done once they are applied', () => {
    const withSource = (source: string | undefined): EventRecord =>
      recordOf(aMessage({ headers: { ...headers, source } }));
    expect(inputPositionsOf(withSource('{"t":{"3":9}}'))).toEqual({ t: { '3': 9 } });
    expect(inputPositionsOf(withSource(undefined))).toBeUndefined();
    expect(inputPositionsOf(withSource('{broken'))).toBeUndefined();
    expect(inputPositionsOf(withSource('null'))).toBeUndefined();
    expect(inputPositionsOf(withSource('7'))).toBeUndefined();
  });
});

describe('topics', () => {
  it('are found by message and by name', () => {
    expect(topicOfMessage(userObserved)).toBe(TOPICS.users);
    expect(topicOfMessage({ ...userObserved } as MessageDefinition)).toBeUndefined();
    expect(topicByName('sociograph.views.v1')).toBe(TOPICS.views);
    expect(topicByName('other')).toBeUndefined();
    expect([nameOf('x'), nameOf(TOPICS.keys)]).toEqual(['x', 'sociograph.keys.v1']);
  });
});
