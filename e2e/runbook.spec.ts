import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoToken, eventually, inParallel } from '@sociograph/testing';
import { Fleet, fromStack, native, pidOf, useWorkspace } from './fleet';
import { readSpans } from './read-trace';
import { type Item, itemsIn, itemsOf, wordsOf } from './runbook/pages';
import { ROOT } from './runbook/sources';
import { faultOf, type Surroundings } from './runbook/try-items';

jest.setTimeout(300_000);

const EGO_FACEBOOK = join(__dirname, '../infra/vk-simulator/data/ego-facebook.txt.gz');
const PAGES = join(ROOT, 'docs/runbook');
/** Each command is a process; more at once only take longer. */
const AT_ONCE = 3;

describe('the runbook', () => {
  let around: Surroundings;

  beforeAll(async () => {
    await useWorkspace(`e2e-${randomUUID().slice(0, 8)}`);
    const fleet = await Fleet.up(EGO_FACEBOOK, { keys: 4 });
    await fleet.registerKeys();
    const { id: importId } = await fleet.api.startImport({ seeds: ['987'], depth: 1 });
    await fleet.completed(importId, 120_000);
    const keys = await fleet.api.get<{ items: { id: string }[] }>('/v1/keys');
    await eventually(
      () => readSpans().some(({ attributes }) => Object.values(attributes).includes(importId)),
      { timeoutMs: 30_000, everyMs: 500 },
    );
    around = {
      stack: fromStack('SOCIOGRAPH_STACK'),
      prometheus: fromStack('PROMETHEUS_URL'),
      gateway: fromStack('GATEWAY_URL'),
      service: `http://127.0.0.1:${portOf('parser-service-0', 'http')}`,
      token: demoToken,
      importId,
      keyId: keys.items[0]?.id ?? '',
      pid: pidOf('gateway'),
      // A server that answers too late, as on a full machine, makes the command fail.
      processes: (await eventually(() => native(['status']), { timeoutMs: 60_000, everyMs: 1_000 }))
        .split('\n')
        .map((line) => line.split(' ', 1)[0] ?? ''),
    };
  });

  it('has nothing that does not run, answer, stand or lead somewhere', async () => {
    const items = unique(itemsIn(PAGES));
    const faults: string[] = [];
    await inParallel(items, AT_ONCE, async (item) => {
      const fault = await lastFaultOf(item, around);
      if (fault !== undefined) faults.push(`${item.page}, ${item.kind} ${item.text}: ${fault}`);
    });
    expect(faults).toEqual([]);
    for (const kind of ['script', 'shell', 'promql', 'route', 'prometheus-page', 'file', 'link', 'words'])
      expect(items.filter((item) => item.kind === kind).length).toBeGreaterThan(0);
  });

  it.each<[string, string, string]>([
    ['a script that there is not', '`npm run statsu`', 'there is no such script'],
    ['a script of which nobody says whether it may be run', '`npm run demo`', 'nobody said'],
    ['an option that a command does not know', '`npm run logs -- gateway --line 5`', 'Unknown option --line'],
    ['a log that there is not', '`npm run logs -- key-servcie-0`', 'There is no log'],
    ['a trace of an id that nobody has', '`npm run trace -- 00000000`', 'it ends with 1'],
    ['an option of what is not run', '`npm run down -- --purge-all`', 'Unknown option --purge-all'],
    ['an option of a drill', '`npm run drill:restore -- --peeple 5`', 'Unknown option'],
    ['a verb of a backup that there is not', '`npm run backup -- verfy --from /b`', 'there is no "verfy'],
    ['a server that there is not', '`npm run up -- restart redis`', 'there is no "restart redis"'],
    ['a verb that there is not', '`npm run up -- restrat kafka`', 'there is no "restrat kafka"'],
    ['words of what takes none', '`npm run projector:rebuild -- now`', 'it takes no words'],
    ['words that decide nothing', '`npm run redrive -- everything`', 'nobody said'],
    ['a program that there is not', '```sh\nkcatt -L\n```', 'it ends with 127'],
    ['an option of a program', '```sh\nls --no-such-option\n```', 'it ends with'],
    ['a pipe that breaks at its beginning', '```sh\ncat /no/such/file | sort\n```', 'it complains'],
    [
      'SQL with a slip in it',
      `\`\`\`sh\nnpm run with -- 'psql "$ADMIN_DATABASE_URL" -c "SELECT nothing FROM pg_stat_activty"'\n\`\`\``,
      'it ends with 1',
    ],
    ['a variable that no stack has', `\`npm run with -- 'test -n "$ADMIN_DATABSE_URL"'\``, 'it ends with 1'],
    ['what Prometheus cannot read', '```promql\nsum by (service (up)\n```', 'parse error'],
    [
      'a series with a slip in its name',
      '```promql\nrate(outbox_row[5m])\n```',
      'no such series: outbox_row',
    ],
    ['a lone series with a slip in its name', '`parser_calls_send_total`', 'no such series'],
    [
      'a query with an expression that cannot be read',
      "`npm run query -- 'sum(up'`",
      'Prometheus refuses it',
    ],
    ['a page of Prometheus that there is not', '`/api/v1/alertz`', 'it answers 404'],
    ['a route that there is not', '`GET /v1/keyz`', '404'],
    ['a parameter that a route does not know', '`GET /v1/keys?stat=invalid`', '400'],
    ['a method that a route does not know', '`PUT /v1/imports/{id}/pause`', '404'],
    ["a path of a service's own port", '`GET /health/livee`', 'it answers 404'],
    ['a file that there is not', '`infra/kafka/acces.json`', 'there is no such file'],
    ['a page that there is not', '[x](ConsumerLag.md)', 'there is no such page'],
    ['a link out of the repository', '[x](https://example.org)', 'a link out of the repository is not tried'],
    ['a line of the log that nobody writes', '`the outbox can not be relayed`', 'nothing in the sources'],
  ])('would be caught with %s', async (_, text, fault) => {
    const [item] = itemsOf('x.md', `# X\n\n${text}\n`);
    expect(await faultOf(item as Item, around)).toContain(fault);
  });
});

describe('the reading of a page', () => {
  it('takes every line of a block, comments away, and every span and link of the prose', () => {
    const text = [
      '1. `GET /v1/keys` and `kind`, [there](README.md):',
      '   ```sh',
      '   npm run status   # of all',
      '   npm run with -- \'a "b"\'',
      '   ls -l | sort',
      '   ```',
      '```promql',
      'up{job="fleet"}',
      '```',
      '`sum by (a) (up)` `up_total` `/api/v1/alerts` `infra/kafka` `two words`',
    ].join('\n');
    expect(itemsOf('p.md', text).map(({ kind, text: what }) => `${kind}: ${what}`)).toEqual([
      'script: npm run status',
      `script: npm run with -- 'a "b"'`,
      'shell: ls -l | sort',
      'promql: up{job="fleet"}',
      'route: GET /v1/keys',
      'words: kind',
      'promql: sum by (a) (up)',
      'promql: up_total',
      'prometheus-page: /api/v1/alerts',
      'file: infra/kafka',
      'words: two words',
      'link: README.md',
    ]);
  });

  it('refuses a block of a kind that nobody tries', () => {
    expect(() => itemsOf('p.md', '```\nnpm run x\n```\n')).toThrow('p.md has a block ""');
  });

  it('splits words as a shell does', () => {
    expect(wordsOf(`npm run with -- 'a "b c"' "d e" f`)).toEqual([
      'npm',
      'run',
      'with',
      '--',
      'a "b c"',
      'd e',
      'f',
    ]);
  });
});

/** On a busy machine a server may answer too late once. */
async function lastFaultOf(item: Item, around: Surroundings): Promise<string | undefined> {
  let fault: string | undefined;
  for (let tries = 0; tries < 3; tries += 1) {
    fault = await faultOf(item, around);
    if (fault === undefined) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  return fault;
}

function unique(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [`${item.kind} ${item.text}`, item])).values()];
}

function portOf(name: string, port: string): number {
  const file = join(ROOT, '.sociograph', fromStack('SOCIOGRAPH_STACK'), 'processes.json');
  const processes = JSON.parse(readFileSync(file, 'utf8')) as {
    name: string;
    ports: Record<string, number>;
  }[];
  const found = processes.find((process) => process.name === name)?.ports[port];
  if (found === undefined) throw new Error(`${name} has no port "${port}"`);
  return found;
}
