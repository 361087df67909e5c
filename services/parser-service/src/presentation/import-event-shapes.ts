import { TRANSITIONS } from '../domain/import-job';

const progress = {
  type: 'object',
  required: ['id', 'state', 'at', 'counters', 'frontierClosed'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    state: { type: 'string', enum: Object.keys(TRANSITIONS) },
    at: { type: 'string', format: 'date-time' },
    counters: { $ref: '#/components/schemas/CountersAnswer' },
    frontierClosed: { type: 'boolean' },
    percent: { type: 'number', minimum: 0, maximum: 100 },
    etaMs: { type: 'number', minimum: 0 },
    etaAt: { type: 'string', format: 'date-time' },
  },
};

/** OpenAPI 3.0 knows a stream as a text only: the schema of each event's data stands beside it (`x-events`). */
export const IMPORT_EVENTS = {
  state: progress,
  progress,
  end: {
    type: 'object',
    required: ['reason'],
    properties: {
      reason: {
        type: 'string',
        enum: ['import-ended', 'import-deleted', 'token-expired', 'token-revoked', 'shutting-down'],
      },
    },
  },
};
