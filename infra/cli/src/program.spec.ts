import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TerminalDouble } from '../test/a-terminal';
import { FleetDouble } from '../test/fleet-double';
import { COMMANDS } from './program';

const ID = '01a1fe32-74b4-794f-8793-1584be9498d2';
const TOKEN = 'vk1.a.never-on-a-command-line';

const fleet = new FleetDouble();
const folder = mkdtempSync(join(tmpdir(), 'sociograph-cli-'));
beforeAll(() => fleet.start());
beforeEach(() => fleet.reset());
afterAll(() => {
  fleet.stop();
  rmSync(folder, { recursive: true });
});

const aFile = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const at = (options: ConstructorParameters<typeof TerminalDouble>[1] = {}): TerminalDouble =>
  new TerminalDouble(fleet.env, options);

describe('each command', () => {
  const people = '/v1/people/{network}/{id}';
  const cases: [
    argv: string[],
    operation: string,
    asked?: { query?: object; body?: object; path?: string },
  ][] = [
    [['import', 'list', '--limit', '3'], 'GET /v1/imports', { query: { limit: '3' } }],
    [
      ['import', 'list', '--state', 'paused', '--network', 'vk'],
      'GET /v1/imports',
      { query: { state: 'paused', network: 'vk' } },
    ],
    [['import', 'show', ID], 'GET /v1/imports/{id}', { path: `/v1/imports/${ID}` }],
    [['import', 'certificate', ID], 'GET /v1/imports/{id}/certificate'],
    [['import', 'pause', ID], 'POST /v1/imports/{id}/pause'],
    [['import', 'resume', ID], 'POST /v1/imports/{id}/resume'],
    [['import', 'cancel', ID], 'POST /v1/imports/{id}/cancel'],
    [['import', 'retry', ID], 'POST /v1/imports/{id}/retry'],
    [['import', 'remove', ID], 'DELETE /v1/imports/{id}'],
    [
      ['import', 'start', '107', '108'],
      'POST /v1/imports',
      { body: { network: 'vk', seeds: ['107', '108'] } },
    ],
    [
      [
        'import',
        'start',
        '107',
        '--network',
        'vk',
        '--depth',
        '2',
        '--include',
        'friends',
        '--people',
        '5',
        '--calls',
        '6',
      ],
      'POST /v1/imports',
      {
        body: {
          network: 'vk',
          seeds: ['107'],
          depth: 2,
          include: ['friends'],
          limits: { people: 5, calls: 6 },
        },
      },
    ],
    [['query', 'person', '107', '--network', 'ok'], `GET ${people}`, { path: '/v1/people/ok/107' }],
    [
      ['query', 'friends', '107', '--at', '2026-11-01'],
      `GET ${people}/friends`,
      { query: { at: '2026-11-01' } },
    ],
    [
      ['query', 'changes', '107', '--from', '2026-11-01', '--to', '2026-11-02'],
      `GET ${people}/friends/changes`,
      { query: { from: '2026-11-01', to: '2026-11-02' } },
    ],
    [
      ['query', 'people', '--last-name', 'Орл', '--city', 'Пермь', '--closed', 'true', '--all'],
      'GET /v1/people/{network}',
      { query: { lastName: 'Орл', city: 'Пермь', closed: 'true', limit: '200' } },
    ],
    [
      ['query', 'mutual', '107', '--with', '58,1684'],
      `GET ${people}/friends/mutual`,
      { query: { with: '58,1684' } },
    ],
    [
      ['query', 'path', '107', '--to', '58', '--max-length', '4'],
      `GET ${people}/path`,
      { query: { to: '58', maxLength: '4' } },
    ],
    [
      ['query', 'surroundings', '107', '--depth', '2', '--nodes', '50', '--at', '2026-11-01'],
      `GET ${people}/surroundings`,
      { query: { depth: '2', nodes: '50', at: '2026-11-01' } },
    ],
    [['query', 'groups', '107'], `GET ${people}/groups`, { path: '/v1/people/vk/107/groups' }],
    [['query', 'pages', '107'], `GET ${people}/pages`],
    [['query', 'follows', '107'], `GET ${people}/follows`],
    [['query', 'posts', '107'], `GET ${people}/posts`],
    [
      ['query', 'group', '--', '-22822305'],
      'GET /v1/groups/{network}/{id}',
      { path: '/v1/groups/vk/-22822305' },
    ],
    [
      ['query', 'group-members', '5'],
      'GET /v1/groups/{network}/{id}/members',
      { path: '/v1/groups/vk/5/members' },
    ],
    [['query', 'group-followers', '5'], 'GET /v1/groups/{network}/{id}/followers'],
    [['query', 'group-posts', '5'], 'GET /v1/groups/{network}/{id}/posts'],
    [['query', 'post', '107_17'], 'GET /v1/posts/{network}/{id}', { path: '/v1/posts/vk/107_17' }],
    [['query', 'summary'], 'GET /v1/graphs/{network}/summary', { path: '/v1/graphs/vk/summary' }],
    [
      ['query', 'profile', '107', '--min-position', 'x'],
      'GET /v1/profiles/{network}/{id}',
      { query: { 'min-position': 'x' } },
    ],
    [
      ['query', 'rankings', 'degree'],
      'GET /v1/graphs/{network}/rankings/{by}',
      { path: '/v1/graphs/vk/rankings/degree' },
    ],
    [
      ['query', 'search', 'вер орл', '--in', 'posts'],
      'GET /v1/graphs/{network}/search',
      { query: { q: 'вер орл', in: 'posts' } },
    ],
    [
      ['keys', 'list', '--state', 'active', '--kind', 'user'],
      'GET /v1/keys',
      { query: { state: 'active', kind: 'user' } },
    ],
    [['keys', 'show', ID], 'GET /v1/keys/{id}'],
    [['keys', 'usage', ID], 'GET /v1/keys/{id}/usage'],
    [['keys', 'rests', ID], 'GET /v1/keys/{id}/rests'],
    [['keys', 'history', ID, '--limit', '2'], 'GET /v1/keys/{id}/history', { query: { limit: '2' } }],
    [['keys', 'pause', ID], 'POST /v1/keys/{id}/pause'],
    [['keys', 'resume', ID], 'POST /v1/keys/{id}/resume'],
    [['keys', 'remove', ID], 'DELETE /v1/keys/{id}'],
    [
      ['keys', 'explain', '--methods', 'friends.get:25', '--key', ID, '--egress', 'home', '--limit', '2'],
      'GET /v1/pool/explain',
      { query: { network: 'vk', methods: 'friends.get:25', keyId: ID, egress: 'home', limit: '2' } },
    ],
    [
      [
        'import',
        'start',
        'club1',
        '--include',
        'walls,members',
        '--fields',
        'sex',
        '--walls-last',
        '9',
        '--walls-since',
        '2026-11-01T00:00:00Z',
      ],
      'POST /v1/imports',
      {
        body: {
          network: 'vk',
          seeds: ['club1'],
          include: ['walls', 'members'],
          fields: ['sex'],
          walls: { last: 9, since: '2026-11-01T00:00:00Z' },
        },
      },
    ],
    [['import', 'start', '107', '--dry-run'], 'POST /v1/imports', { query: { dryRun: 'true' } }],
    [['dead-calls', 'list', '--limit', '2'], 'GET /v1/dead-calls', { query: { limit: '2' } }],
    [['dead-calls', 'redrive'], 'POST /v1/dead-calls/redrive'],
    [
      ['dead-calls', 'redrive', 'm1'],
      'POST /v1/dead-calls/{id}/redrive',
      { path: '/v1/dead-calls/m1/redrive' },
    ],
    [['export', 'list'], 'GET /v1/exports'],
    [['export', 'show', ID], 'GET /v1/exports/{id}'],
    [['export', 'remove', ID], 'DELETE /v1/exports/{id}'],
    [
      ['export', 'create', '--format', 'gexf'],
      'POST /v1/exports',
      { body: { network: 'vk', format: 'gexf' } },
    ],
    [
      ['export', 'create', '--format', 'csv', '--person', '107', '--depth', '2', '--nodes', '9'],
      'POST /v1/exports',
      { body: { network: 'vk', format: 'csv', of: { person: '107', depth: 2, nodes: 9 } } },
    ],
  ];

  it.each(cases)('%j asks %s as its document says', async (argv, operation, asked = {}) => {
    for (const mode of [[], ['--json']]) {
      fleet.reset();
      const terminal = at();
      expect([
        await terminal.run(...argv.slice(0, 2), ...mode, ...argv.slice(2)),
        terminal.stderr.text.includes('error'),
      ]).toEqual([0, false]);
      expect(fleet.faults).toEqual([]);
      expect(fleet.asked).toEqual([expect.objectContaining({ operation, ...asked })]);
      if (mode.length > 0) expect(() => terminal.stdout.json()).not.toThrow();
    }
  });

  it('has a usage that names its options', async () => {
    for (const { name, options } of COMMANDS) {
      const terminal = at();
      expect(await terminal.run(...name.split(' '), '--help')).toBe(0);
      expect(terminal.stdout.text.startsWith(`sociograph ${name}`)).toBe(true);
      for (const option of [...Object.keys(options ?? {}), 'json', 'profile'])
        expect(terminal.stdout.text).toMatch(new RegExp(`\\n  --${option} `));
    }
    expect(fleet.asked).toEqual([]);
  });
});

describe('a start of an import', () => {
  it('takes more seeds from a file and what it has no option for from a body; options win', async () => {
    const body = aFile('body.json', '{"depth":9,"limits":{"calls":3},"include":["friends"]}');
    const terminal = at({ stdin: '1, 2\n3\n' });
    const options = ['--json-body', body, '--seeds-file', '-', '--depth', '2', '--people', '7'];
    expect(await terminal.run('import', 'start', '0', ...options)).toBe(0);
    expect(fleet.asked[0]?.body).toEqual({
      network: 'vk',
      seeds: ['0', '1', '2', '3'],
      depth: 2,
      include: ['friends'],
      limits: { calls: 3, people: 7 },
    });
  });

  it('is sent under the key that was given, else under one of its own', async () => {
    await at().run('import', 'start', '1', '--idempotency-key', 'mine');
    await at().run('import', 'start', '1');
    expect(fleet.asked.map(({ headers }) => headers['idempotency-key'])).toEqual([
      'mine',
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    ]);
  });

  it.each([
    [['import', 'start'], 'import start needs a seed'],
    [['import', 'file'], 'import file needs a file'],
    [['import', 'file', '/nowhere'], '/nowhere cannot be read: ENOENT'],
    [['import', 'start', '1', '--depth', '33'], '--depth takes a whole number from 1 to 32, not "33"'],
    [['import', 'start', '1', '--people', '1.5'], '--people takes a whole number from 1 to'],
    [['import', 'start', '1', '--json-body', '/nowhere'], '/nowhere cannot be read: ENOENT'],
    [['import', 'start', '--json-body', '-', '--seeds-file', '-'], 'stdin can be read once only'],
    [['import', 'start', '1', '--json-body', '-'], '- holds no JSON object'],
  ])('%j is refused before anything is asked', async (argv, sentence) => {
    const terminal = at({ stdin: '[1]' });
    expect(await terminal.run(...argv)).toBe(2);
    expect(terminal.stderr.text).toContain(`error: ${sentence}`);
    expect(fleet.asked).toEqual([]);
  });
});

describe('an import that is waited for', () => {
  const view = (state: string, made: number): object => ({
    id: ID,
    state,
    counters: {
      people: { known: 2, done: made },
      lists: { known: 2, done: made },
      calls: { made },
      friendshipObservations: made * 10,
    },
    frontierClosed: true,
  });

  const goes = (...states: string[]): void => {
    fleet.answer('GET /v1/imports/{id}', ...states.map((state, index) => ({ body: view(state, index) })));
    fleet.answer('GET /v1/imports/{id}/events', { status: 404, body: '{"message":"no Route matched"}' });
    fleet.answer('POST /v1/imports', {
      body: { id: ID, state: 'running', forecast: { calls: 3, keyTimeMs: 9, etaMs: 1500 } },
    });
  };

  it('is completed: 0, with its progress on stderr', async () => {
    goes('running', 'settling', 'completed');
    const terminal = at();
    expect(await terminal.run('import', 'start', '1', '--wait')).toBe(0);
    expect(terminal.stdout.text).toBe('');
    expect(terminal.stderr.lines).toEqual([
      `Import ${ID} is running: at least 3 calls, about 2 s.`,
      expect.stringMatching(/0 calls {2}0\/2 people {2}0 friendships seen {2}0 %, ETA \? s$/),
      expect.stringMatching(/2 calls {2}2\/2 people {2}20 friendships seen {2}100 %, ETA 0 s$/),
      `The import is completed: "sociograph import certificate ${ID}" says what is in it.`,
    ]);
  });

  it.each(['failed', 'cancelled'])('is %s: 5', async (state) => {
    goes('running', state);
    const terminal = at();
    expect(await terminal.run('watch', ID)).toBe(5);
    expect(terminal.stderr.lines.at(-1)).toBe(`error: The import is ${state}.`);
  });

  it('is one line of JSON for each change', async () => {
    fleet.answer(
      'GET /v1/imports/{id}',
      { body: view('running', 0) },
      { body: view('running', 0) },
      { body: view('completed', 1) },
    );
    fleet.answer('GET /v1/imports/{id}/events', { status: 404 });
    const terminal = at();
    expect(await terminal.run('import', 'wait', ID, '--json')).toBe(0);
    expect(terminal.stdout.json()).toEqual([view('running', 0), view('completed', 1)]);
    expect(terminal.stderr.text).toBe('');
  });

  it('goes on when the watching is interrupted: 130', async () => {
    goes('running');
    const terminal = at();
    const watching = terminal.run('watch', ID);
    setTimeout(() => terminal.interruption.abort(new DOMException('Interrupted', 'AbortError')), 300);
    expect(await watching).toBe(130);
    expect(terminal.stderr.lines.slice(-2)).toEqual([
      `The import goes on: "sociograph watch ${ID}" shows it again.`,
      'error: Interrupted.',
    ]);
  });
});

describe('a list', () => {
  const pages = (): void =>
    fleet.answer(
      'GET /v1/people/{network}/{id}/friends',
      {
        body: {
          items: [
            { id: '1', since: 'a' },
            { id: '22', since: 'b\u001b[31m' },
          ],
          next: 'c2',
        },
      },
      { body: { items: [{ id: '3', since: 'c' }], next: null } },
    );

  it('is a page, and says how to go on', async () => {
    pages();
    const terminal = at();
    expect(await terminal.run('query', 'friends', '107')).toBe(0);
    expect(terminal.stdout.text).toBe('id  since\n1   a\n22  b\\x1b[31m\n');
    expect(terminal.stderr.text).toBe('There is more: --all, or --cursor c2\n');
    expect(fleet.asked.map(({ query }) => query)).toEqual([{}]);
  });

  it('is every page with --all, each with the cursor of the one before', async () => {
    pages();
    const terminal = at();
    expect(await terminal.run('query', 'friends', '107', '--all', '--cursor', 'c1')).toBe(0);
    expect(terminal.stdout.lines).toEqual(['id  since', '1   a', '22  b\\x1b[31m', '3   c']);
    expect(fleet.asked.map(({ query }) => query)).toEqual([
      { limit: '200', cursor: 'c1' },
      { limit: '200', cursor: 'c2' },
    ]);
  });

  it('is the page as it is with --json, and an item a line with --all', async () => {
    pages();
    const page = at();
    await page.run('query', 'friends', '107', '--json');
    expect(page.stdout.json()).toMatchObject([{ items: [{ id: '1' }, { id: '22' }], next: 'c2' }]);
    pages();
    const all = at();
    await all.run('query', 'friends', '107', '--json', '--all', '--limit', '2');
    expect(all.stdout.json().map(({ id }) => id)).toEqual(['1', '22', '3']);
    expect(fleet.asked.at(-1)?.query).toEqual({ limit: '2', cursor: 'c2' });
  });

  it('that is empty says so', async () => {
    fleet.answer('GET /v1/keys', { body: { items: [], next: null } });
    const terminal = at();
    expect(await terminal.run('keys', 'list')).toBe(0);
    expect([terminal.stdout.text, terminal.stderr.text]).toEqual(['', 'Nothing.\n']);
  });
});

describe('a key', () => {
  const add = ['keys', 'add', '--kind', 'user', '--consent', 'Ada L.'];

  it('is added with the token of stdin or of a file', async () => {
    const more = [
      '--label',
      'Ada',
      '--per-second',
      '2',
      '--per-day',
      '9',
      '--weight',
      '3',
      '--scopes',
      'friends,wall',
    ];
    expect(await at({ stdin: `${TOKEN}\n` }).run(...add, ...more)).toBe(0);
    expect(
      await at().run(
        ...add,
        '--token-file',
        aFile('token', ` ${TOKEN} `),
        '--owner-id',
        'o',
        '--bucket',
        'b',
      ),
    ).toBe(0);
    expect(fleet.faults).toEqual([]);
    const key = { network: 'vk', kind: 'user', token: TOKEN, consent: { givenBy: 'Ada L.' } };
    expect(fleet.asked.map(({ body }) => body)).toEqual([
      { ...key, label: 'Ada', limits: { perSecond: 2, perDay: 9 }, weight: 3, scopes: ['friends', 'wall'] },
      { ...key, ownerId: 'o', bucket: 'b' },
    ]);
  });

  it.each([
    [[...add, '--token', TOKEN], 'a token is never given on the command line'],
    [[...add, `--token=${TOKEN}`], 'a token is never given on the command line'],
    [[...add, TOKEN], 'usage: sociograph keys add'],
    [['keys', 'add', '--kind', 'user'], '--consent is needed'],
    [add, 'no token was given on stdin'],
  ])('is never taken from the command line, nor is it repeated (%#)', async (argv, sentence) => {
    const terminal = at();
    expect(await terminal.run(...argv)).toBe(2);
    expect(terminal.stderr.text).toContain(sentence);
    expect(terminal.stderr.text + terminal.stdout.text).not.toContain(TOKEN);
    expect(fleet.asked).toEqual([]);
  });

  it('of two lines is more than one token', async () => {
    const terminal = at({ stdin: `${TOKEN}\n${TOKEN}\n` });
    expect(await terminal.run(...add)).toBe(2);
    expect(terminal.stderr.text).toBe('error: what stdin holds is more than one token\n');
  });

  it('comes with many others from CSV or JSON; 5 when some were refused', async () => {
    const csv = 'network,kind,token,consent.givenBy\nvk,user,x,Ada\n';
    fleet.answer('POST /v1/keys/bulk', {
      body: {
        created: 1,
        refused: 1,
        rows: [
          { row: 1, id: ID },
          { row: 2, errors: [{ field: 'token', message: 'is short' }] },
        ],
      },
    });
    const terminal = at();
    expect(await terminal.run('keys', 'bulk', aFile('keys.CSV', csv))).toBe(5);
    expect(terminal.stdout.text).toBe('1 keys were added, 1 rows refused.\n');
    expect(terminal.stderr.lines).toEqual(['row 2: token is short', 'error: 1 rows were refused.']);
    fleet.answer('POST /v1/keys/bulk', { body: { created: 1, refused: 0, rows: [] } });
    const list = JSON.stringify([{ network: 'vk', kind: 'user', token: TOKEN, consent: { givenBy: 'Ada' } }]);
    expect(await at({ stdin: list }).run('keys', 'bulk', '-', '--format', 'json')).toBe(0);
    expect(fleet.asked.map(({ headers }) => headers['content-type'])).toEqual([
      'text/csv',
      'application/json',
    ]);
    expect(fleet.faults).toEqual([]);
    expect(await at().run('keys', 'bulk', 'keys.txt')).toBe(2);
  });
});

describe('an export', () => {
  const here = process.cwd();
  beforeEach(() => process.chdir(mkdtempSync(join(folder, 'download-'))));
  afterEach(() => process.chdir(here));

  const is = (state: string, more: object = {}): object => ({
    body: { id: ID, state, counts: { people: 1, friendships: 0 }, ...more },
  });
  const link = `/v1/exports/${ID}/file?expires=1&signature=s`;

  it('is waited for and downloaded under the name that it has, for its owner only', async () => {
    fleet.answer('POST /v1/exports', { status: 202, ...is('waiting') });
    fleet.answer('GET /v1/exports/{id}', is('ready', { bytes: 5, file: '../../.graph.gexf', link }));
    fleet.answer('GET /v1/exports/{id}/file', { body: 'graph' });
    const terminal = at();
    expect(await terminal.run('export', 'create', '--format', 'gexf', '--wait')).toBe(0);
    expect(fleet.faults).toEqual([]);
    expect(terminal.stdout.text).toBe('graph.gexf: 5 bytes.\n');
    expect(readdirSync('.')).toEqual(['graph.gexf']);
    expect(readFileSync('graph.gexf', 'utf8')).toBe('graph');
    expect(statSync('graph.gexf').mode & 0o777).toBe(0o600);

    const again = at();
    expect(await again.run('export', 'download', ID)).toBe(2);
    expect(again.stderr.text).toBe('error: graph.gexf is there already: --force replaces it\n');
    const out = at();
    expect(await out.run('export', 'download', ID, '--output', '-')).toBe(0);
    expect(out.stdout.text).toBe('graph');
  });

  it('that came in part is not left behind', async () => {
    fleet.answer('GET /v1/exports/{id}', is('ready', { bytes: 6, file: 'graph.gexf', link }));
    fleet.answer('GET /v1/exports/{id}/file', { body: 'graph' });
    const terminal = at();
    expect(await terminal.run('export', 'download', ID)).toBe(1);
    expect(terminal.stderr.text).toBe('error: The file has 6 bytes, of which 5 came.\n');
    expect(readdirSync('.')).toEqual([]);
  });

  it('that failed, or is not there yet: 5', async () => {
    fleet.answer(
      'GET /v1/exports/{id}',
      is('failed', { error: { code: 'E', message: 'No room.' } }),
      is('running'),
    );
    const failed = at();
    expect(await failed.run('export', 'wait', ID)).toBe(5);
    expect(failed.stderr.text).toBe('error: The export failed: No room.\n');
    expect(await at().run('export', 'download', ID)).toBe(5);
  });
});

describe('import file', () => {
  const upload = (kind: string, id: string, fields: string[] = []) => ({
    body: { id, kind, people: 2, friendships: 1, fields },
  });

  it('uploads the files and imports everybody, with every field that there is a column for', async () => {
    fleet.answer('POST /v1/uploads', upload('friendships', 'f-1'), upload('people', 'p-1', ['city', 'sex']));
    const terminal = at();
    const paths = [aFile('edges.txt', '1 2\n'), '--people', aFile('people.csv', 'id,city,sex\n1,A,male\n')];
    expect(await terminal.run('import', 'file', ...paths, '--network', 'file-club')).toBe(0);
    const [first, second, third] = fleet.asked;
    expect([first?.query, first?.body, second?.body]).toEqual([
      { network: 'file-club' },
      '1 2\n',
      'id,city,sex\n1,A,male\n',
    ]);
    expect([third?.operation, third?.body]).toEqual([
      'POST /v1/imports',
      { network: 'file-club', files: { friendships: 'f-1', people: 'p-1' }, fields: ['city', 'sex'] },
    ]);
  });

  it('takes people alone, seeds and fewer fields; two files of one kind are none', async () => {
    fleet.answer('POST /v1/uploads', upload('people', 'p-1', ['city', 'sex']));
    const people = aFile('people.csv', 'id\n1\n');
    const words = [
      'import',
      'file',
      '--people',
      people,
      '--fields',
      'city',
      '--seeds',
      '1,2',
      '--depth',
      '1',
      '--dry-run',
    ];
    expect(await at().run(...words)).toBe(0);
    expect(fleet.asked.at(-1)).toMatchObject({
      query: { dryRun: 'true' },
      body: { network: 'file', files: { people: 'p-1' }, fields: ['city'], seeds: ['1', '2'], depth: 1 },
    });
    const terminal = at();
    expect(await terminal.run('import', 'file', people, '--people', people)).toBe(2);
    expect(terminal.stderr.text).toContain('holds people, like the other file');
  });
});

describe('import refresh', () => {
  it('asks for what is older than a week, or what is told', async () => {
    expect(await at().run('import', 'refresh')).toBe(0);
    const words = ['--older-than', 'PT1H', '--include', 'friends', '--people', '5', '--dry-run'];
    expect(await at().run('import', 'refresh', ...words)).toBe(0);
    expect(fleet.asked.map(({ query, body }) => [query, body])).toEqual([
      [{}, { network: 'vk', refresh: { olderThan: 'P7D' } }],
      [
        { dryRun: 'true' },
        { network: 'vk', refresh: { olderThan: 'PT1H' }, include: ['friends'], limits: { people: 5 } },
      ],
    ]);
  });
});
