import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CHANGING, type Form } from './changing-scripts';
import { type Item, wordsOf } from './pages';
import { type Outcome, runCommand } from './run-command';
import { ROOT, stands } from './sources';

/** What stands for the placeholders of the pages, and whom routes are asked of. */
export interface Surroundings {
  stack: string;
  prometheus: string;
  gateway: string;
  /** Of a service's own port. */
  service: string;
  /** Anew for each question: it is valid for minutes. */
  token: () => Promise<string>;
  /** An import that ended, whose trace is kept. */
  importId: string;
  keyId: string;
  /** Of a process of the fleet. */
  pid: number;
  /** Names in the table of `npm run status`. */
  processes: readonly string[];
}

/** What the scripts in the root's package.json are called. */
const SCRIPTS = (
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
).scripts;
const BOOTSTRAP = 'infra/native/bootstrap.mjs';
/** Commands of a stack, which take its name as an option; the others take it from SOCIOGRAPH_STACK. */
const OF_STACK = ['status', 'logs', 'trace', 'query', 'dead-letters', 'with', 'rotate:signing-key'];
/** Those that only read, beside the commands of a stack. */
const READING: Readonly<Record<string, RegExp>> = {
  redrive: /^list$/,
  sociograph: /^$/,
};
/** Those whose words decide what they do: known ones that are not run. */
const KNOWN_WORDS: Readonly<Record<string, RegExp>> = { redrive: /^(all|<id>)$/ };
const LISTED = new Set(
  [...readFileSync(join(ROOT, 'docs/telemetry.md'), 'utf8').matchAll(/^\| `([\w:]+)`/gm)].map(
    ([, name]) => name,
  ),
);

/** What is wrong with one item, in words; undefined when it does what the page wants. */
export async function faultOf(item: Item, around: Surroundings): Promise<string | undefined> {
  switch (item.kind) {
    case 'script':
      return ofScript(item.text, around);
    case 'shell':
      return ofShell(item.text, around);
    case 'promql':
      return ofExpression(item.text, around);
    case 'route':
      return ofRoute(item.text, around);
    case 'prometheus-page':
      return ofAnswer(await fetch(`${around.prometheus}${item.text}`));
    case 'file':
      return ofFile(item.text, around);
    case 'link':
      return ofLink(item);
    case 'words':
      return stands(item.text) ? undefined : 'nothing in the sources says so';
  }
}

async function ofScript(line: string, around: Surroundings): Promise<string | undefined> {
  const [, , ...rest] = wordsOf(line).filter((word) => word !== '-s');
  const [name = '', ...words] = rest.filter((word, at) => !(at === 1 && word === '--'));
  if (SCRIPTS[name]?.startsWith(`node ${BOOTSTRAP} ${name}`) !== true) return 'there is no such script';
  if (KNOWN_WORDS[name]?.test(words.join(' ')) === true) return undefined;
  const changing = CHANGING[name];
  if (changing !== undefined) return ofForm(name, words, changing.form, around);
  const reads = OF_STACK.includes(name) || READING[name]?.test(words.join(' ')) === true;
  if (!reads) return 'nobody said whether it may be run (changing-scripts.ts)';
  const filled = words.map((word) => filledIn(word, around));
  const outcome = await script(name, filled, around);
  return outcome.code === 0 ? loud(outcome) : told(outcome);
}

async function ofForm(
  name: string,
  words: readonly string[],
  form: Form,
  around: Surroundings,
): Promise<string | undefined> {
  if (form === 'none') return words.length === 0 ? undefined : 'it takes no words';
  const [verb, process] = words.filter((word) => !word.startsWith('-'));
  if (name === 'up' && verb !== undefined && words[0] === verb) {
    const known = verb === 'restart' && around.processes.includes(filledIn(process ?? '', around));
    if (!known) return `there is no "${words.join(' ')}"`;
  }
  if (name === 'backup' && verb !== undefined && words[0] === verb && !['erasures', 'verify'].includes(verb))
    return `there is no "${words.join(' ')}"`;
  const asked = form === 'help' ? [...words, '--help'] : form;
  const outcome = await script(name, asked, around);
  // A program that explains itself ends with 0, drills with 2; one that refuses an option says so first.
  const explains = outcome.code === 0 || /^npm run /.test(outcome.stderr);
  return explains ? undefined : told(outcome);
}

function script(name: string, words: readonly string[], around: Surroundings): Promise<Outcome> {
  const stack = OF_STACK.includes(name) ? ['--stack', around.stack] : [];
  const env = { SOCIOGRAPH_STACK: around.stack, SOCIOGRAPH_BUILT: 'true', LOG_LEVEL: 'warn' };
  return runCommand(process.execPath, [BOOTSTRAP, name, ...words, ...stack], env);
}

async function ofShell(line: string, around: Surroundings): Promise<string | undefined> {
  const outcome = await runCommand('sh', ['-c', filledIn(line, around)]);
  return outcome.code === 0 ? loud(outcome) : told(outcome);
}

async function ofExpression(expression: string, { prometheus }: Surroundings): Promise<string | undefined> {
  const body = new URLSearchParams({ query: expression });
  const response = await fetch(`${prometheus}/api/v1/query`, { method: 'POST', body });
  const { error } = (await response.json()) as { error?: string };
  if (error !== undefined) return error;
  const bare = expression.replace(/\{[^}]*\}/g, '').replace(/(by|without|on|ignoring) \([^)]*\)/g, '');
  const names = bare.matchAll(/(?<![\w:])[a-z][a-z0-9]*(?:[_:][a-z0-9]+)+(?![\w:(])/g);
  const unknown = [...names].flatMap(([name]) => (isListed(name) ? [] : name));
  return unknown.length === 0 ? undefined : `no such series: ${unknown.join(', ')}`;
}

function isListed(series: string): boolean {
  return LISTED.has(series) || LISTED.has(series.replace(/_(bucket|count|sum)$/, ''));
}

/** What reads is asked of what there is, what writes of what there is not: it is refused, but by the route's own service. */
async function ofRoute(route: string, around: Surroundings): Promise<string | undefined> {
  const [method = '', path = ''] = route.split(' ');
  if (!path.startsWith('/v1/')) return ofAnswer(await fetch(`${around.service}${path}`, { method }));
  const reads = method === 'GET';
  const exists = path.startsWith('/v1/keys') ? around.keyId : around.importId;
  const filled = path
    .replace('{network}', reads ? 'vk' : 'no-network')
    .replace('{id}', reads ? exists : randomUUID());
  const headers = { authorization: `Bearer ${await around.token()}`, 'content-type': 'application/json' };
  const response = await fetch(`${around.gateway}${filled}`, {
    method,
    headers,
    ...(reads ? {} : { body: '{}' }),
  });
  const answer = (await response.json().catch(() => ({}))) as { code?: string };
  if (response.ok) return undefined;
  // Refused by a service, which knows the route: it is not for this role, or of something that is not there.
  const itsOwn = answer.code !== undefined && [403, 404].includes(response.status);
  const ofPlaceholder = path.includes('{id}') && [400, 409, 422].includes(response.status);
  return itsOwn || (answer.code !== undefined && ofPlaceholder)
    ? undefined
    : `${response.status} ${JSON.stringify(answer)}`;
}

function ofAnswer({ status, ok }: Response): string | undefined {
  return ok ? undefined : `it answers ${status}`;
}

function ofFile(path: string, around: Surroundings): string | undefined {
  return existsSync(join(ROOT, filledIn(path, around))) || stands(path) ? undefined : 'there is no such file';
}

function ofLink({ page, text }: Item): string | undefined {
  if (/^https?:/.test(text)) return 'a link out of the repository is not tried';
  const file = join(ROOT, 'docs/runbook', dirname(page), text.replace(/#.*$/, ''));
  return existsSync(file) ? undefined : 'there is no such page';
}

function filledIn(text: string, around: Surroundings): string {
  const { stack, importId, pid } = around;
  return text
    .replace(/<service>/g, 'parser-service')
    .replace(/<name>|\bNAME\b/g, 'parser-service-0')
    .replace(/<stack>/g, stack)
    .replace(/<pid>/g, String(pid))
    .replace(/^ID$/, importId)
    .replace(/^EXPRESSION$/, 'up')
    .replace(/^COMMAND$/, 'true');
}

/** What ends well and complains did not do all of it: the end of a pipe says nothing of its beginning. */
function loud({ stderr }: Outcome): string | undefined {
  return stderr.trim() === '' ? undefined : `it complains: ${stderr.trim().slice(0, 300)}`;
}

function told({ code, stdout, stderr }: Outcome): string {
  const words = `${stderr}\n${stdout}`.trim().slice(0, 400);
  return `${code === undefined ? 'it did not end' : `it ends with ${code}`}: ${words}`;
}
