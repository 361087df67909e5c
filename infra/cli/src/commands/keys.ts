import { pathOf } from '@sociograph/api-client';
import { type Arguments, defined } from '../arguments';
import type { Call, Command } from '../command';
import { EndedOtherwise, UsageError } from '../failures';
import { readSecret, readText } from '../input';
import { PAGE_OPTIONS, printList } from '../page';

const MOST_BULK_BYTES = 20_000_000;
const FILTERS = ['network', 'state', 'kind', 'label', 'egress', 'bucket'] as const;

interface BulkAnswer {
  created: number;
  refused: number;
  rows: { row: number; id?: string; errors?: { field: string; message: string }[] }[];
}

const list: Command = {
  name: 'keys list',
  summary: 'the keys of the workspace; never a token',
  options: {
    ...PAGE_OPTIONS,
    ...Object.fromEntries(
      FILTERS.map((name) => [
        name,
        { type: 'string' as const, value: name.toUpperCase(), help: 'only these' },
      ]),
    ),
  },
  run: (call) =>
    printList(call, '/v1/keys', Object.fromEntries(FILTERS.map((name) => [name, call.args.text(name)]))),
};

const add: Command = {
  name: 'keys add',
  summary: 'take a key into the pool; its token comes from stdin or a file',
  details:
    'There is no --token: what stands on a command line can be read by every process of the machine and stays in\n' +
    "the shell's history. Only keys whose owners consented belong in the pool: --consent names who agreed.",
  options: {
    kind: { type: 'string', value: 'KIND', help: 'user, service or community' },
    consent: { type: 'string', value: 'NAME', help: 'who agreed that the pool uses it' },
    network: { type: 'string', value: 'NAME', help: 'vk unless told' },
    'token-file': { type: 'string', value: 'FILE', help: 'where the token is; stdin unless told' },
    label: { type: 'string', value: 'TEXT', help: 'a name for people' },
    'per-second': { type: 'string', value: 'N', help: 'calls a second at most' },
    'per-minute': { type: 'string', value: 'N', help: 'calls in any minute at most' },
    'per-hour': { type: 'string', value: 'N', help: 'calls in any hour at most' },
    'per-day': { type: 'string', value: 'N', help: 'calls in any 24 hours at most' },
    weight: { type: 'string', value: 'N', help: '1 to 100' },
    egress: { type: 'string', value: 'LABEL', help: 'the address that the token is bound to' },
    bucket: { type: 'string', value: 'NAME', help: 'keys of one bucket are counted together' },
    'owner-id': { type: 'string', value: 'ID', help: 'the account or app that the token belongs to' },
    scopes: { type: 'string', multiple: true, value: 'SCOPE,...', help: 'what the token may do' },
    'idempotency-key': { type: 'string', value: 'KEY', help: 'a repeat with the same key adds nothing' },
  },
  async run({ args, output, terminal, ...call }) {
    const limits = defined({
      perSecond: args.whole('per-second', 1),
      perMinute: args.whole('per-minute', 1),
      perHour: args.whole('per-hour', 1),
      perDay: args.whole('per-day', 1),
    });
    const body = {
      network: args.text('network') ?? 'vk',
      kind: args.needed('kind'),
      consent: { givenBy: args.needed('consent') },
      ...defined({
        label: args.text('label'),
        limits: Object.keys(limits).length === 0 ? undefined : limits,
        weight: args.whole('weight', 1, 100),
        egress: args.text('egress'),
        bucket: args.text('bucket'),
        ownerId: args.text('owner-id'),
        scopes: args.list('scopes'),
      }),
    };
    const api = await call.api();
    const token = await readSecret(args.text('token-file'), terminal, 'token');
    output.record(await api.create('/v1/keys', { ...body, token }, args.text('idempotency-key')));
  },
};

const bulk: Command = {
  name: 'keys bulk',
  words: 'FILE',
  summary: 'take many keys into the pool, from a .csv or .json file',
  details:
    'JSON: a list of objects as POST /v1/keys takes them. CSV: their fields as columns, nested ones with a dot\n' +
    '(consent.givenBy, limits.perSecond). Each row has its own verdict; when one is refused the exit code is 5.',
  takes: { min: 1, max: 1 },
  options: {
    format: {
      type: 'string',
      value: 'csv|json',
      help: 'where the name of the file does not say it (- is stdin)',
    },
    'idempotency-key': { type: 'string', value: 'KEY', help: 'a repeat with the same key adds nothing' },
  },
  async run({ args, output, terminal, ...call }) {
    const file = args.words[0] ?? '';
    const format = args.text('format') ?? /\.(csv|json)$/i.exec(file)?.[1]?.toLowerCase();
    if (format !== 'csv' && format !== 'json') throw new UsageError('--format takes csv or json');
    const text = await readText(file, terminal, MOST_BULK_BYTES);
    const type = format === 'csv' ? 'text/csv' : 'application/json';
    const api = await call.api();
    const answer = await api.upload<BulkAnswer>('/v1/keys/bulk', text, type, args.text('idempotency-key'));
    if (output.json) output.record(answer);
    else output.say(`${answer.created} keys were added, ${answer.refused} rows refused.`, answer);
    for (const { row, errors = [] } of answer.rows) {
      for (const { field, message } of errors) output.note(`row ${row}: ${field} ${message}`);
    }
    if (answer.refused > 0) throw new EndedOtherwise(`${answer.refused} rows were refused.`);
  },
};

const explain: Command = {
  name: 'keys explain',
  summary: 'why a key would be chosen for a call, or why none is free; charges nothing',
  options: {
    methods: { type: 'string', value: 'METHOD:N,...', help: 'what the call asks for: friends.get:25' },
    network: { type: 'string', value: 'NAME', help: 'vk unless told' },
    egress: { type: 'string', value: 'LABEL', help: 'from which address' },
    key: { type: 'string', value: 'ID', help: 'only this key' },
    limit: { type: 'string', value: 'N', help: 'keys at most, 1 to 200 (50)' },
  },
  async run({ args, output, ...call }) {
    const api = await call.api();
    const answer = await api.get<{ keys: unknown[] } & Record<string, unknown>>('/v1/pool/explain', {
      network: args.text('network') ?? 'vk',
      methods: args.needed('methods'),
      egress: args.text('egress'),
      keyId: args.text('key'),
      limit: args.whole('limit', 1, 200),
    });
    if (output.json) return output.record(answer);
    const { keys, ...rest } = answer;
    output.record(rest);
    output.rows(keys);
  },
};

export const keys: Command[] = [
  list,
  add,
  bulk,
  reading('show', 'one key', ''),
  reading('usage', 'what it used of its limits, and when they are spent at this pace', '/usage'),
  reading('rests', 'what of it rests, and until when', '/rests'),
  {
    name: 'keys history',
    words: 'ID',
    summary: 'every change of it, newest first',
    takes: { min: 1, max: 1 },
    options: PAGE_OPTIONS,
    run: (call) => printList(call, keyPath(call.args, '/history')),
  },
  step('pause', 'no new leases, and slots that were not used are void'),
  step('resume', 'lease a paused key again'),
  {
    name: 'keys remove',
    words: 'ID',
    summary: 'take it out for good: its token is destroyed, its history stays',
    takes: { min: 1, max: 1 },
    async run({ args, output, ...call }) {
      const path = keyPath(args);
      await (await call.api()).delete(path);
      output.say(`Key ${args.words[0]} is removed.`, { id: args.words[0], removed: true });
    },
  },
  explain,
];

function reading(verb: string, summary: string, part: string): Command {
  return {
    name: `keys ${verb}`,
    words: 'ID',
    summary,
    takes: { min: 1, max: 1 },
    async run({ args, output, ...call }: Call) {
      const path = keyPath(args, part);
      output.record(await (await call.api()).get(path));
    },
  };
}

function step(verb: 'pause' | 'resume', summary: string): Command {
  return {
    name: `keys ${verb}`,
    words: 'ID',
    summary,
    takes: { min: 1, max: 1 },
    async run({ args, output, ...call }: Call) {
      const path = keyPath(args, `/${verb}`);
      output.record(await (await call.api()).post(path));
    },
  };
}

function keyPath({ words }: Arguments, part = ''): string {
  return pathOf`/v1/keys/${words[0] ?? ''}` + part;
}
