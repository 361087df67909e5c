import { pathOf } from '@sociograph/api-client';
import type { Command } from '../command';

/** Calls that were given up, of all workspaces: for operators of the platform. */
export const deadCalls: Command[] = [
  {
    name: 'dead-calls list',
    summary: 'calls that were given up, with the reason (role platform-operator)',
    options: { limit: { type: 'string', value: 'N', help: 'at most, 1 to 200 (50)' } },
    async run({ args, output, ...call }) {
      const limit = args.whole('limit', 1, 200);
      const answer = await (await call.api()).get<{ items: unknown[] }>('/v1/dead-calls', { limit });
      if (output.json) return output.record(answer);
      output.rows(answer.items);
      if (answer.items.length === 0) output.note('Nothing.');
    },
  },
  {
    name: 'dead-calls redrive',
    words: '[ID]',
    summary: 'send one back to its queue, or all of them (role platform-operator)',
    takes: { min: 0, max: 1 },
    async run({ args, output, ...call }) {
      const [id] = args.words;
      const path = id === undefined ? '/v1/dead-calls/redrive' : pathOf`/v1/dead-calls/${id}/redrive`;
      const answer = await (await call.api()).post<unknown>(path);
      output.record(answer ?? { id, redriven: 1 });
    },
  },
];
