import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TerminalDouble } from '../test/a-terminal';
import { FleetDouble } from '../test/fleet-double';
import { SessionFile, sessionPath, type Session } from './session-file';

const fleet = new FleetDouble();
let home: string;
beforeAll(() => fleet.start());
beforeEach(() => {
  fleet.reset();
  home = mkdtempSync(join(tmpdir(), 'sociograph-session-'));
});
afterEach(() => rmSync(home, { recursive: true }));
afterAll(() => fleet.stop());

const path = (): string => join(home, 'sociograph', 'default.json');
const stored = (): Session => JSON.parse(readFileSync(path(), 'utf8')) as Session;
const aSession = (more: Partial<Session> = {}): Session => ({
  url: fleet.url,
  issuer: fleet.issuer,
  clientId: 'sociograph-cli',
  accessToken: 'access-0',
  renewAt: Date.now() + 60_000,
  refreshToken: 'refresh-0',
  ...more,
});
const logIn = (session: Session = aSession()): void => new SessionFile(path()).write(session);
const person = (env: Record<string, string> = {}): TerminalDouble =>
  new TerminalDouble({ XDG_CONFIG_HOME: home, ...env });
const authorizations = (): (string | undefined)[] => fleet.asked.map(({ headers }) => headers.authorization);

describe('the file of a login', () => {
  it('is where the XDG specification says', () => {
    expect(sessionPath({ XDG_CONFIG_HOME: '/x', HOME: '/h' }, 'a.b-1')).toBe('/x/sociograph/a.b-1.json');
    expect(sessionPath({ XDG_CONFIG_HOME: 'x', HOME: '/h' }, 'p')).toBe('/h/.config/sociograph/p.json');
    expect(sessionPath({ HOME: '/h' }, 'p')).toBe('/h/.config/sociograph/p.json');
    for (const name of ['', '.', '..', '../x', 'a/b', 'x'.repeat(65)])
      expect(() => sessionPath({}, name)).toThrow('a profile is named by');
  });

  it('may be read by its owner only, whatever the umask', () => {
    const before = process.umask(0);
    try {
      logIn();
      logIn(aSession({ accessToken: 'access-9' }));
    } finally {
      process.umask(before);
    }
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'sociograph')).mode & 0o777).toBe(0o700);
    expect(stored().accessToken).toBe('access-9');
  });

  it('is not used when others may read it', async () => {
    logIn();
    chmodSync(path(), 0o640);
    const terminal = person();
    expect(await terminal.run('import', 'list')).toBe(3);
    expect(terminal.stderr.text).toBe(
      `error: ${path()} may be read by others (mode 640), so its tokens may be known: log in again.\n`,
    );
    expect(fleet.asked).toEqual([]);
  });

  it.each(['', '{}', 'null', '[]', '{"url":1}'])('holds a login or none: %j', async (text) => {
    mkdirSync(join(home, 'sociograph'));
    writeFileSync(path(), text, { mode: 0o600 });
    const terminal = person();
    expect(await terminal.run('import', 'list')).toBe(3);
    expect(terminal.stderr.text).toBe(`error: ${path()} holds no login: log in again.\n`);
  });

  it('is one for each profile', async () => {
    logIn();
    expect(await person({ SOCIOGRAPH_PROFILE: 'other' }).run('import', 'list')).toBe(3);
    expect(await person({ SOCIOGRAPH_PROFILE: 'other' }).run('import', 'list', '--profile', 'default')).toBe(
      0,
    );
  });
});

describe('a login', () => {
  const at = (): TerminalDouble =>
    person({ SOCIOGRAPH_URL: `${fleet.url}/`, SOCIOGRAPH_ISSUER: fleet.issuer });

  it('shows where to confirm which code, and remembers the fleet', async () => {
    const terminal = at();
    expect(await terminal.run('login')).toBe(0);
    expect(terminal.stderr.lines).toEqual([
      `Open ${fleet.issuer}/confirm`,
      'and confirm the code AB-CD within 10 minutes.',
      'This account belongs to no workspace: it may see nothing yet.',
    ]);
    expect(terminal.stdout.text).toBe(`Logged in to ${fleet.url} as somebody, workspace none.\n`);
    expect(stored()).toMatchObject({
      url: fleet.url,
      issuer: fleet.issuer,
      clientId: 'sociograph-cli',
      accessToken: 'access-1',
      refreshToken: 'refresh-1',
    });
    expect(await person().run('import', 'list')).toBe(0);
    expect(await person().run('login')).toBe(0);
  });

  it.each(['access_denied', 'expired_token'] as const)(
    'that ends with %s leaves nothing',
    async (confirms) => {
      fleet.confirms = confirms;
      const terminal = at();
      expect(await terminal.run('login')).toBe(1);
      expect(terminal.stderr.lines.at(-1)).toBe(`error: The login server refused: ${confirms}`);
      expect(statSync(path(), { throwIfNoEntry: false })).toBeUndefined();
    },
  );

  it('replaces one that others could read', async () => {
    logIn();
    chmodSync(path(), 0o644);
    expect(await at().run('login')).toBe(0);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(stored().accessToken).toBe('access-1');
  });
});

describe('the tokens of a login', () => {
  it('are used while they are good', async () => {
    logIn();
    expect(await person().run('import', 'list')).toBe(0);
    expect(authorizations()).toEqual(['Bearer access-0']);
    expect(fleet.tokensGiven).toBe(0);
  });

  it('are refreshed when their time has come, and stored', async () => {
    logIn(aSession({ renewAt: Date.now() - 1 }));
    expect(await person().run('import', 'list')).toBe(0);
    expect(authorizations()).toEqual(['Bearer access-1']);
    expect(stored()).toMatchObject({ accessToken: 'access-1', refreshToken: 'refresh-1', url: fleet.url });
    expect(stored().renewAt).toBeGreaterThan(Date.now() + 200_000);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  it('are refreshed once by many commands at the same time', async () => {
    logIn(aSession({ renewAt: 0 }));
    const many = Array.from({ length: 10 }, () => person().run('import', 'list'));
    expect(new Set(await Promise.all(many))).toEqual(new Set([0]));
    expect(fleet.tokensGiven).toBe(1);
    expect(new Set(authorizations())).toEqual(new Set(['Bearer access-1']));
  });

  it('are refreshed when the fleet refuses them; refused again, they are told to be over', async () => {
    logIn();
    fleet.answer('GET /v1/imports', { status: 401 }, { body: { items: [], next: null } });
    expect(await person().run('import', 'list')).toBe(0);
    expect(authorizations()).toEqual(['Bearer access-0', 'Bearer access-1']);
    fleet.answer('GET /v1/imports', { status: 401, body: { message: 'Unauthorized' } });
    const terminal = person();
    expect(await terminal.run('import', 'list')).toBe(3);
    expect(terminal.stderr.text).toContain('Unauthorized Log in again: "sociograph login".');
  });

  it('are over when the login server says so', async () => {
    logIn(aSession({ renewAt: 0, refreshToken: 'used-already' }));
    const terminal = person();
    expect(await terminal.run('import', 'list', '--json')).toBe(3);
    expect(terminal.stderr.json()).toEqual([
      { error: { exitCode: 3, message: 'Your login has ended: "sociograph login" logs you in again.' } },
    ]);
  });

  it('of a service account are over with the token: its secret is not stored', async () => {
    const { refreshToken: _, ...session } = aSession({ renewAt: 0 });
    logIn(session);
    const terminal = person();
    expect(await terminal.run('import', 'list')).toBe(3);
    expect(terminal.stderr.text).toContain('set SOCIOGRAPH_CLIENT_ID and SOCIOGRAPH_CLIENT_SECRET');
  });

  it('wait for a process that refreshes, not for one that is gone', async () => {
    logIn(aSession({ renewAt: 0 }));
    const lock = `${path()}.lock`;
    writeFileSync(lock, '');
    const waiting = person().run('import', 'list');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(fleet.tokensGiven).toBe(0);
    const long = new Date(Date.now() - 31_000);
    utimesSync(lock, long, long);
    expect(await waiting).toBe(0);
    expect(fleet.tokensGiven).toBe(1);
    expect(statSync(lock, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('go nowhere but to the fleet that they were given for', async () => {
    logIn();
    const elsewhere = new TerminalDouble({ XDG_CONFIG_HOME: home, SOCIOGRAPH_URL: 'http://127.0.0.1:1' });
    expect(await elsewhere.run('import', 'list')).toBe(3);
    expect(elsewhere.stderr.text).toContain(`You are logged in to ${fleet.url}, not to http://127.0.0.1:1`);
    expect(await person().run('import', 'list', '--issuer', 'https://elsewhere')).toBe(3);
    expect(fleet.asked).toEqual([]);
  });

  it('are gone after a logout even when the login server is away', async () => {
    logIn(aSession({ issuer: 'http://127.0.0.1:1' }));
    expect(await person().run('logout')).toBe(1);
    expect(statSync(path(), { throwIfNoEntry: false })).toBeUndefined();
    expect(await person().run('logout')).toBe(3);
  });
});

describe('the address of the fleet', () => {
  it.each([
    ['http://fleet.example', '--url must be https (http only on this machine)'],
    ['ftp://localhost', '--url must be https (http only on this machine)'],
    ['https://a:b@fleet.example', '--url must hold no password'],
    ['fleet', '--url takes a URL, not "fleet"'],
  ])('is never %s', async (url, sentence) => {
    const terminal = new TerminalDouble(fleet.env);
    expect(await terminal.run('import', 'list', '--url', url)).toBe(2);
    expect(terminal.stderr.text).toBe(`error: ${sentence}\n`);
  });

  it('may be another one without TLS where that was allowed', async () => {
    const terminal = new TerminalDouble({ ...fleet.env, SOCIOGRAPH_ALLOW_INSECURE: 'true' });
    expect(await terminal.run('import', 'list', '--url', 'http://fleet.invalid')).toBe(1);
  });

  it('is needed, as both variables of a service account are', async () => {
    const nowhere = new TerminalDouble({ XDG_CONFIG_HOME: home });
    expect(await nowhere.run('login')).toBe(2);
    expect(nowhere.stderr.text).toBe('error: --url or SOCIOGRAPH_URL is needed\n');
    const half = new TerminalDouble({ ...fleet.env, SOCIOGRAPH_CLIENT_SECRET: '' });
    expect(await half.run('import', 'list')).toBe(2);
    expect(half.stderr.text).toContain('are needed together');
  });

  it('and the account are those of the stack in this clone for whoever has none', async () => {
    const file = join(home, 'env.json');
    const account = { DEMO_CLIENT_ID: 'demo', DEMO_CLIENT_SECRET: 's' };
    writeFileSync(file, JSON.stringify({ GATEWAY_URL: fleet.url, OIDC_ISSUER: fleet.issuer, ...account }));
    expect(await person({ SOCIOGRAPH_STACK_ENV: file }).run('import', 'list')).toBe(0);
    expect(authorizations()).toEqual(['Bearer access-1']);
    logIn();
    expect(await person({ SOCIOGRAPH_STACK_ENV: file }).run('import', 'list')).toBe(0);
    expect(authorizations()).toEqual(['Bearer access-1', 'Bearer access-0']);
    expect(
      await new TerminalDouble({ XDG_CONFIG_HOME: '/nowhere', SOCIOGRAPH_STACK_ENV: '/nowhere' }).run(
        'whoami',
      ),
    ).toBe(3);
  });
});
