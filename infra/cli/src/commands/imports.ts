import type { StartedImportView } from '@sociograph/api-client';
import { type Arguments, defined } from '../arguments';
import type { Call, Command } from '../command';
import { UsageError, type ExitCode } from '../failures';
import { followImport, importPath } from '../follow-import';
import { readBytes, readJsonObject, readText } from '../input';
import { PAGE_OPTIONS, printList } from '../page';

const MOST_SEED_BYTES = 1_000_000;
const MOST_FILE_BYTES = 64 * 1_048_576;

const start: Command = {
  name: 'import start',
  words: '[SEED...]',
  summary: 'import people, beginning with these',
  details:
    'What has no option of its own is passed on as it is: --json-body FILE holds the body of POST /v1/imports,\n' +
    'and the options given beside it win. With --wait it ends when the import has: 0 when completed, 5 otherwise.',
  takes: { min: 0, max: 50_000 },
  options: {
    network: { type: 'string', value: 'NAME', help: 'vk unless told' },
    'seeds-file': {
      type: 'string',
      value: 'FILE',
      help: 'more seeds, parted by white space or commas (- is stdin)',
    },
    depth: { type: 'string', value: 'N', help: '1 to 32 steps; until nobody new is found unless told' },
    include: { type: 'string', multiple: true, value: 'KIND,...', help: 'what to fetch beside the people' },
    fields: { type: 'string', multiple: true, value: 'FIELD,...', help: 'what to keep of a person' },
    'walls-since': { type: 'string', value: 'TIME', help: 'posts published from then on' },
    'walls-last': { type: 'string', value: 'N', help: 'the newest posts of each wall at most' },
    people: { type: 'string', value: 'N', help: 'people at most' },
    calls: { type: 'string', value: 'N', help: 'calls at most' },
    'json-body': { type: 'string', value: 'FILE', help: 'a JSON object with more of the body (- is stdin)' },
    'dry-run': { type: 'boolean', help: 'the forecast only; nothing is started' },
    'idempotency-key': { type: 'string', value: 'KEY', help: 'a repeat with the same key starts nothing' },
    wait: { type: 'boolean', help: 'show the progress until it has ended' },
  },
  async run(call) {
    return begin(call, await startBody(call));
  },
};

/** Starts the import, or shows its forecast; with --wait it is followed to its end. */
async function begin(call: Call, body: object): Promise<ExitCode | void> {
  const { args, output } = call;
  const api = await call.api();
  if (args.flag('dry-run')) return output.record(await api.post('/v1/imports?dryRun=true', body));
  const started = await api.create<StartedImportView>('/v1/imports', body, args.text('idempotency-key'));
  if (!args.flag('wait')) return output.record(started);
  output.note(`Import ${started.id} is ${started.state}: ${forecastOf(started)}.`);
  if (output.json) output.record(started);
  return followImport(call, started.id);
}

interface UploadView {
  id: string;
  kind: 'friendships' | 'people';
  people: number;
  friendships: number;
  fields: string[];
}

const file: Command = {
  name: 'import file',
  words: 'PATH',
  summary: 'upload a file of friendships and import the graph that is in it',
  details:
    'PATH is an edge list or CSV with from and to, plain or gzip; --people is CSV with id and columns like name, city, sex.\n' +
    'Without PATH only the people. What the file of people has columns for is kept unless --fields says less. The same\n' +
    'file again is not stored again; each --network is a graph with ids of its own.',
  takes: { min: 0, max: 1 },
  options: {
    people: { type: 'string', value: 'FILE', help: 'a file of people beside it' },
    network: { type: 'string', value: 'NAME', help: 'file, or file-NAME; file unless told' },
    seeds: {
      type: 'string',
      multiple: true,
      value: 'ID,...',
      help: 'begin with these; with everybody unless told',
    },
    depth: { type: 'string', value: 'N', help: '1 to 32 steps from the seeds' },
    fields: { type: 'string', multiple: true, value: 'FIELD,...', help: 'what to keep of a person' },
    'dry-run': { type: 'boolean', help: 'the files are uploaded, the import is only forecast' },
    wait: { type: 'boolean', help: 'show the progress until it has ended' },
  },
  async run(call) {
    const { args, output } = call;
    const [path] = args.words;
    const people = args.text('people');
    if (path === undefined && people === undefined) throw new UsageError('import file needs a file');
    const network = args.text('network') ?? 'file';
    const files: Record<string, string> = {};
    const columns: string[] = [];
    for (const name of [path, people]) {
      if (name === undefined) continue;
      const { id, kind, fields, ...about } = await uploaded(call, name, network);
      if (files[kind] !== undefined) throw new UsageError(`${name} holds ${kind}, like the other file`);
      files[kind] = id;
      columns.push(...fields);
      const count = kind === 'people' ? `${about.people} people` : `${about.friendships} friendships`;
      output.note(`${name} is uploaded: ${count}.`);
    }
    return begin(call, {
      ...{ network, files, fields: args.list('fields') ?? columns },
      ...defined({ seeds: args.list('seeds'), depth: args.whole('depth', 1, 32) }),
    });
  },
};

async function uploaded({ terminal, ...call }: Call, name: string, network: string): Promise<UploadView> {
  const bytes = await readBytes(name, terminal, MOST_FILE_BYTES);
  const api = await call.api();
  // Reading and storing a large file takes longer than a second: what is repeated meanwhile is the same upload.
  return api.upload<UploadView>(
    `/v1/uploads?network=${encodeURIComponent(network)}`,
    bytes,
    'application/octet-stream',
  );
}

const refresh: Command = {
  name: 'import refresh',
  summary: 'look again at people who were imported, disputed friendships first',
  options: {
    'older-than': { type: 'string', value: 'AGE', help: 'P7D, PT12H, or a moment; P7D unless told' },
    network: { type: 'string', value: 'NAME', help: 'vk unless told' },
    include: { type: 'string', multiple: true, value: 'KIND,...', help: 'what to look at beside the people' },
    fields: { type: 'string', multiple: true, value: 'FIELD,...', help: 'what to keep of a person' },
    people: { type: 'string', value: 'N', help: 'people at most' },
    calls: { type: 'string', value: 'N', help: 'calls at most' },
    'dry-run': { type: 'boolean', help: 'the forecast only; nothing is started' },
    wait: { type: 'boolean', help: 'show the progress until it has ended' },
  },
  run(call) {
    const { args } = call;
    const limits = defined({ people: args.whole('people', 1), calls: args.whole('calls', 1) });
    return begin(call, {
      network: args.text('network') ?? 'vk',
      refresh: { olderThan: args.text('older-than') ?? 'P7D' },
      ...defined({ include: args.list('include'), fields: args.list('fields'), limits: beside({}, limits) }),
    });
  },
};

const list: Command = {
  name: 'import list',
  summary: 'the imports of the workspace, newest first',
  options: {
    ...PAGE_OPTIONS,
    state: { type: 'string', value: 'STATE', help: 'only those in this state' },
    network: { type: 'string', value: 'NAME', help: 'only those of this network' },
  },
  run: (call) =>
    printList(call, '/v1/imports', { state: call.args.text('state'), network: call.args.text('network') }),
};

const show = reading('import show', 'one import: its state and counters', '');
const certificate = reading(
  'import certificate',
  'what was expected, what was got, and each gap with its cause',
  '/certificate',
);

const wait: Command = {
  name: 'import wait',
  words: 'ID',
  summary: 'wait until it has ended: 0 when it is completed, 5 otherwise',
  takes: { min: 1, max: 1 },
  run: (call) => followImport(call, idOf(call.args)),
};

/** Live progress of one import. */
export const watch: Command = {
  name: 'watch',
  words: 'ID',
  summary: 'live progress of an import until it has ended: 0 when it is completed, 5 otherwise',
  details: 'With --json one line for each change. A stream that breaks is taken up where it broke.',
  takes: { min: 1, max: 1 },
  run: (call) => followImport(call, idOf(call.args)),
};

export const imports: Command[] = [
  start,
  file,
  refresh,
  list,
  show,
  wait,
  step('pause', 'pause it; calls on their way are finished'),
  step('resume', 'let a paused one go on'),
  step('cancel', 'end it; what was imported stays'),
  step('retry', 'try again what failed and can be tried again'),
  {
    name: 'import remove',
    words: 'ID',
    summary: 'forget an import that has ended; what was imported stays',
    takes: { min: 1, max: 1 },
    async run({ args, output, ...call }) {
      await (await call.api()).delete(importPath(idOf(args)));
      output.say(`Import ${idOf(args)} is removed.`, { id: idOf(args), removed: true });
    },
  },
  certificate,
];

function reading(name: string, summary: string, part: string): Command {
  return {
    name,
    words: 'ID',
    summary,
    takes: { min: 1, max: 1 },
    async run({ args, output, ...call }) {
      output.record(await (await call.api()).get(importPath(idOf(args), part)));
    },
  };
}

function step(verb: 'pause' | 'resume' | 'cancel' | 'retry', summary: string): Command {
  return {
    name: `import ${verb}`,
    words: 'ID',
    summary,
    takes: { min: 1, max: 1 },
    options: { wait: { type: 'boolean', help: 'show the progress until it has ended' } },
    async run(call): Promise<ExitCode | void> {
      const { args, output } = call;
      const api = await call.api();
      const view = await api.post(importPath(idOf(args), `/${verb}`));
      if (args.flag('wait')) return followImport(call, idOf(args));
      output.record(view);
    },
  };
}

async function startBody({ args, terminal }: Call): Promise<Record<string, unknown>> {
  const bodyFile = args.text('json-body');
  const seedsFile = args.text('seeds-file');
  if (bodyFile === '-' && seedsFile === '-') throw new UsageError('stdin can be read once only');
  const given = bodyFile === undefined ? {} : await readJsonObject(bodyFile, terminal);
  const listed = seedsFile === undefined ? '' : await readText(seedsFile, terminal, MOST_SEED_BYTES);
  const seeds = [...args.words, ...listed.split(/[\s,]+/).filter(Boolean)];
  if (seeds.length === 0 && given['seeds'] === undefined) throw new UsageError('import start needs a seed');
  const limits = defined({ people: args.whole('people', 1), calls: args.whole('calls', 1) });
  const walls = defined({ since: args.text('walls-since'), last: args.whole('walls-last', 1) });
  return {
    network: 'vk',
    ...given,
    ...defined({
      network: args.text('network'),
      seeds: seeds.length === 0 ? undefined : seeds,
      depth: args.whole('depth', 1, 32),
      include: args.list('include'),
      fields: args.list('fields'),
      walls: beside(given['walls'], walls),
      limits: beside(given['limits'], limits),
    }),
  };
}

/** What the body has, with what the options say; undefined when the options say nothing. */
function beside(given: unknown, options: Record<string, unknown>): object | undefined {
  return Object.keys(options).length === 0 ? undefined : { ...(given as object | undefined), ...options };
}

function forecastOf({ forecast }: StartedImportView): string {
  const eta =
    forecast.etaMs === null ? 'no key can be used yet' : `about ${Math.ceil(forecast.etaMs / 1000)} s`;
  return `at least ${forecast.calls} calls, ${eta}`;
}

function idOf({ words }: Arguments): string {
  return words[0] ?? '';
}
