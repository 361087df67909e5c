import { freePort } from '@sociograph/testing';
import { TerminalDouble } from '../test/a-terminal';
import { FleetDouble } from '../test/fleet-double';

const ID = '01a1fe32-74b4-794f-8793-1584be9498d2';
const fleet = new FleetDouble();
beforeAll(() => fleet.start());
beforeEach(() => fleet.reset());
afterAll(() => fleet.stop());

const problem = (status: number, code: string, more: object = {}) => ({
  status,
  body: { type: 't', title: 'T', status, detail: 'It cannot be done.', code, instance: 'c-1', ...more },
});

describe('a failure', () => {
  it.each([
    [
      problem(400, 'REQUEST.INVALID', { errors: [{ field: 'depth', message: 'must be at most 32' }] }),
      1,
      'It cannot be done. (depth must be at most 32)',
    ],
    [problem(403, 'AUTH.FORBIDDEN'), 1, 'It cannot be done.'],
    [problem(404, 'IMPORTS.UNKNOWN'), 4, 'It cannot be done.'],
    [problem(409, 'IMPORTS.STATE'), 1, 'It cannot be done.'],
    [
      { status: 404, body: { message: 'no Route matched' } },
      1,
      `GET /v1/imports/${ID} answered 404: no Route matched`,
    ],
    [
      { status: 413, body: { message: 'Request size limit exceeded' } },
      1,
      `GET /v1/imports/${ID} answered 413: Request size limit exceeded`,
    ],
    [{ status: 500, body: '' }, 1, `GET /v1/imports/${ID} answered 500`],
  ])('of the API (%#) is one sentence and an exit code', async (answer, exitCode, sentence) => {
    fleet.answer('GET /v1/imports/{id}', answer);
    const terminal = new TerminalDouble(fleet.env);
    expect(await terminal.run('import', 'show', ID)).toBe(exitCode);
    expect([terminal.stdout.text, terminal.stderr.text]).toEqual(['', `error: ${sentence}\n`]);
  });

  it('is JSON on stderr for scripts', async () => {
    const errors = [{ field: 'id', message: 'must be a UUID' }];
    fleet.answer('GET /v1/imports/{id}', problem(404, 'IMPORTS.UNKNOWN', { errors }));
    const terminal = new TerminalDouble(fleet.env);
    expect(await terminal.run('import', 'show', ID, '--json')).toBe(4);
    expect(terminal.stdout.text).toBe('');
    expect(terminal.stderr.json()).toEqual([
      {
        error: {
          exitCode: 4,
          message: 'It cannot be done. (id must be a UUID)',
          status: 404,
          code: 'IMPORTS.UNKNOWN',
          errors,
          correlationId: 'c-1',
        },
      },
    ]);
  });

  it('of the connection names what could not be reached', async () => {
    const port = await freePort();
    const terminal = new TerminalDouble({ ...fleet.env, SOCIOGRAPH_ISSUER: `http://127.0.0.1:${port}` });
    expect(await terminal.run('import', 'list')).toBe(1);
    expect(terminal.stderr.text).toBe(`error: No connection (connect ECONNREFUSED 127.0.0.1:${port}).\n`);
  });

  it.each([
    [['nonsense'], 'there is no command "nonsense": "sociograph --help"'],
    [['import', 'nonsense', ID], 'there is no command "import nonsense": "sociograph --help"'],
    [['import', 'show'], 'usage: sociograph import show ID ("sociograph import show --help" tells more)'],
    [
      ['import', 'show', ID, ID],
      'usage: sociograph import show ID ("sociograph import show --help" tells more)',
    ],
    [['import', 'show', '..'], '".." cannot be part of a path'],
    [['import', 'list', '--limit', '201'], '--limit takes a whole number from 1 to 200, not "201"'],
    [['import', 'list', '--nonsense'], "Unknown option '--nonsense'"],
    [['query', 'changes', '107', '--from', '2026-01-01'], '--to is needed'],
  ])('of the command line %j is 2', async (argv, sentence) => {
    const terminal = new TerminalDouble(fleet.env);
    expect(await terminal.run(...argv)).toBe(2);
    expect(terminal.stderr.text).toContain(`error: ${sentence}`);
    expect(fleet.asked).toEqual([]);
  });

  it('takes nothing from a stranger that steers the terminal', async () => {
    fleet.answer('GET /v1/imports/{id}', { status: 409, body: { detail: 'a\u001b]0;x\u0007\u202eb' } });
    const terminal = new TerminalDouble(fleet.env);
    await terminal.run('import', 'show', ID);
    expect(terminal.stderr.text).toBe('error: a\\x1b]0;x\\x07\\x202eb\n');
  });

  it('is red on a terminal, unless NO_COLOR or a dumb one', async () => {
    const shown = async (env: Record<string, string>, tty: boolean): Promise<string> => {
      const terminal = new TerminalDouble(env, { tty });
      await terminal.run('nonsense');
      return terminal.stderr.text.slice(0, 6);
    };
    expect(await shown({}, true)).toBe('\u001b[31me');
    expect(await shown({ NO_COLOR: '' }, true)).toBe('\u001b[31me');
    expect(await shown({ NO_COLOR: '1' }, true)).toBe('error:');
    expect(await shown({ TERM: 'dumb' }, true)).toBe('error:');
    expect(await shown({}, false)).toBe('error:');
  });
});

describe('help', () => {
  it.each([
    [[], 0, 'sociograph login'],
    [['--help'], 0, 'sociograph login'],
    [['help'], 0, 'sociograph login'],
    [['keys', '--help'], 0, 'sociograph keys list'],
    [['keys'], 2, 'sociograph keys list'],
  ])('%j', async (argv, exitCode, first) => {
    const terminal = new TerminalDouble({});
    expect(await terminal.run(...argv)).toBe(exitCode);
    expect(terminal.stdout.lines[0]).toContain(first);
    expect(terminal.stdout.text).toContain('Exit codes: 0 done, 1 failed, 2 wrong command line');
    expect(terminal.stderr.text).toBe('');
  });
});
