import { FEED_TYPES } from '../projections/event-feed';

const text = { type: 'string', minLength: 1 };
const cloudEvent = {
  type: 'object',
  required: ['specversion', 'id', 'source', 'type', 'time', 'datacontenttype', 'data', 'cursor'],
  properties: {
    specversion: { type: 'string', enum: ['1.0'] },
    id: text,
    source: text,
    type: text,
    time: { type: 'string', format: 'date-time' },
    datacontenttype: { type: 'string', enum: ['application/json'] },
    data: { type: 'object' },
    cursor: text,
  },
};

/** OpenAPI 3.0 knows a stream as a text only: the schema of each event's data stands beside it (`x-events`). */
export const FEED_EVENTS = {
  ...Object.fromEntries(FEED_TYPES.map((name) => [name, cloudEvent])),
  end: {
    type: 'object',
    required: ['reason'],
    properties: { reason: { type: 'string', enum: ['token-expired', 'token-revoked', 'shutting-down'] } },
  },
};
