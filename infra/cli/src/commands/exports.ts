import { randomUUID } from 'node:crypto';
import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathOf, rest, type Api } from '@sociograph/api-client';
import { type Arguments, defined } from '../arguments';
import type { Call, Command } from '../command';
import { EndedOtherwise, UsageError } from '../failures';
import { PAGE_OPTIONS, printList } from '../page';

interface ExportView {
  id: string;
  state: 'waiting' | 'running' | 'ready' | 'failed';
  counts: { people: number; friendships: number };
  bytes?: number;
  file?: string;
  /** Relative to the API, or the address of a bucket; it opens for 5 minutes. */
  link?: string;
  error?: { code: string; message: string };
}

const POLL_MS = 1_000;
const PATIENCE_MS = 30_000;
const TO_FILE = {
  output: { type: 'string', value: 'FILE', help: 'where to; the name that the fleet gives unless told' },
  force: { type: 'boolean', help: 'replace a file that is there' },
} as const;

const create: Command = {
  name: 'export create',
  summary: 'ask for a file: the whole graph, an import, or the surroundings of a person',
  options: {
    format: { type: 'string', value: 'FORMAT', help: 'gexf, graphml, csv or parquet' },
    network: { type: 'string', value: 'NAME', help: 'vk unless told' },
    person: { type: 'string', value: 'ID', help: 'the surroundings of this person only' },
    depth: { type: 'string', value: 'N', help: 'steps from the person' },
    nodes: { type: 'string', value: 'N', help: 'people at most, the nearest first' },
    import: { type: 'string', value: 'ID', help: 'what this import was the first to show' },
    'idempotency-key': { type: 'string', value: 'KEY', help: 'a repeat with the same key asks for nothing' },
    wait: { type: 'boolean', help: 'wait for the file and download it' },
    ...TO_FILE,
  },
  async run(call) {
    const { args, output } = call;
    const of = defined({
      person: args.text('person'),
      depth: args.whole('depth', 1),
      nodes: args.whole('nodes', 1),
      import: args.text('import'),
    });
    const body = {
      network: args.text('network') ?? 'vk',
      format: args.needed('format'),
      ...(Object.keys(of).length === 0 ? {} : { of }),
    };
    const api = await call.api({ patienceMs: PATIENCE_MS });
    const made = await api.create<ExportView>('/v1/exports', body, args.text('idempotency-key'));
    if (!args.flag('wait')) return output.record(made);
    output.note(`Export ${made.id} is ${made.state}.`);
    await download(call, api, await ready(call, api, made.id));
  },
};

export const exporting: Command[] = [
  create,
  {
    name: 'export list',
    summary: 'the exports of the workspace, newest first',
    options: PAGE_OPTIONS,
    run: (call) => printList(call, '/v1/exports'),
  },
  {
    name: 'export show',
    words: 'ID',
    summary: 'how far it is',
    takes: { min: 1, max: 1 },
    async run({ args, output, ...call }) {
      output.record(await (await call.api()).get(exportPath(args)));
    },
  },
  {
    name: 'export wait',
    words: 'ID',
    summary: 'wait until its file is there: 0, or 5 when it failed',
    takes: { min: 1, max: 1 },
    async run(call) {
      const api = await call.api({ patienceMs: PATIENCE_MS });
      call.output.record(await ready(call, api, call.args.words[0] ?? ''));
    },
  },
  {
    name: 'export download',
    words: 'ID',
    summary: 'its file, once it is there',
    details: 'With --output - it goes to stdout. What is not whole is not left behind.',
    takes: { min: 1, max: 1 },
    options: TO_FILE,
    async run(call) {
      const api = await call.api();
      await download(call, api, await api.get<ExportView>(exportPath(call.args)));
    },
  },
  {
    name: 'export remove',
    words: 'ID',
    summary: 'remove it and its file; one in the making ends',
    takes: { min: 1, max: 1 },
    async run({ args, output, ...call }) {
      await (await call.api()).delete(exportPath(args));
      output.say(`Export ${args.words[0]} is removed.`, { id: args.words[0], removed: true });
    },
  },
];

/** The export once its file is there; throws EndedOtherwise when there will be none. */
async function ready({ terminal }: Call, api: Api, id: string): Promise<ExportView> {
  for (;;) {
    const view = await api.get<ExportView>(pathOf`/v1/exports/${id}`);
    if (view.state === 'ready') return view;
    if (view.state === 'failed')
      throw new EndedOtherwise(`The export failed: ${view.error?.message ?? 'nobody says why'}`);
    await rest(POLL_MS, terminal.signal);
  }
}

async function download({ args, output, terminal }: Call, api: Api, view: ExportView): Promise<void> {
  const { link, file: named = view.id, bytes } = view;
  if (link === undefined) throw new EndedOtherwise(`The export is ${view.state}: there is no file yet.`);
  const to = args.text('output') ?? (basename(named).replace(/^\.+/, '') || view.id);
  if (to !== '-' && existsSync(to) && !args.flag('force'))
    throw new UsageError(`${to} is there already: --force replaces it`);
  // A bucket is another house: it gets the link, never the token.
  const response = link.startsWith('/')
    ? await api.open(link, {})
    : await fetch(link, { signal: terminal.signal });
  if (!response.ok || response.body === null) throw new Error(`The file answered ${response.status}.`);
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  if (to === '-') {
    for await (const piece of body) terminal.stdout.write(piece as Uint8Array);
    return;
  }
  const part = `${to}.${randomUUID()}.part`;
  try {
    // What is in it is personal: for its owner's eyes.
    const file = createWriteStream(part, { flags: 'wx', mode: 0o600 });
    await pipeline(body, file, { signal: terminal.signal });
    if (bytes !== undefined && file.bytesWritten !== bytes)
      throw new Error(`The file has ${bytes} bytes, of which ${file.bytesWritten} came.`);
    renameSync(part, to);
    output.say(`${to}: ${file.bytesWritten} bytes.`, { ...view, file: to, bytes: file.bytesWritten });
  } finally {
    rmSync(part, { force: true });
  }
}

function exportPath({ words }: Arguments): string {
  return pathOf`/v1/exports/${words[0] ?? ''}`;
}
