import { parseArgs } from 'node:util';

export class BackupRefused extends Error {}

export const BACKUP_USAGE = `npm run backup -- --to FOLDER [--stack NAME] [--keys-to FOLDER]
npm run backup -- erasures --to FOLDER [--stack NAME]     only who was erased since
npm run backup -- verify --from FOLDER                    reads it and compares its checksums`;

export const RESTORE_USAGE = `npm run restore -- --from FOLDER [--stack NAME] [--port-base N] [--keys FOLDER]
                   [--erasures FILE] [--no-start]`;

export type BackupCommand =
  | { kind: 'help' }
  | { kind: 'take'; stack: string; to: string; keysTo: string | undefined }
  | { kind: 'erasures'; stack: string; to: string }
  | { kind: 'verify'; from: string };

/** Reads the command line of `npm run backup`; throws a sentence for what it does not know or misses. */
export function backupCommand(argv: readonly string[], usualStack = 'dev'): BackupCommand {
  const { values, positionals } = parsed(argv, BACKUP_USAGE, {
    to: { type: 'string' },
    from: { type: 'string' },
    stack: { type: 'string' },
    'keys-to': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values['help'] === true) return { kind: 'help' };
  const needed = (name: 'to' | 'from'): string => {
    const value = values[name];
    if (typeof value !== 'string' || value === '')
      throw new BackupRefused(`--${name} FOLDER is needed.\n\n${BACKUP_USAGE}`);
    return value;
  };
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const stack = text('stack') ?? usualStack;
  const [verb, ...rest] = positionals;
  if (rest.length > 0) throw new BackupRefused(`Unknown word "${rest.join(' ')}"\n\n${BACKUP_USAGE}`);
  switch (verb) {
    case undefined:
      return { kind: 'take', stack, to: needed('to'), keysTo: text('keys-to') };
    case 'erasures':
      return { kind: 'erasures', stack, to: needed('to') };
    case 'verify':
      return { kind: 'verify', from: needed('from') };
    default:
      throw new BackupRefused(`Unknown word "${verb}"\n\n${BACKUP_USAGE}`);
  }
}

export interface RestoreCommand {
  readonly stack: string;
  readonly portBase: number | undefined;
  readonly from: string;
  readonly keys: string | undefined;
  readonly erasures: readonly string[];
  readonly start: boolean;
}

export function restoreCommand(argv: readonly string[], usualStack = 'dev'): RestoreCommand | 'help' {
  const { values, positionals } = parsed(argv, RESTORE_USAGE, {
    from: { type: 'string' },
    stack: { type: 'string' },
    'port-base': { type: 'string' },
    keys: { type: 'string' },
    erasures: { type: 'string', multiple: true },
    'no-start': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values['help'] === true) return 'help';
  if (positionals.length > 0)
    throw new BackupRefused(`Unknown word "${positionals.join(' ')}"\n\n${RESTORE_USAGE}`);
  const from = values['from'] as string | undefined;
  if (from === undefined || from === '')
    throw new BackupRefused(`--from FOLDER is needed.\n\n${RESTORE_USAGE}`);
  return {
    stack: (values['stack'] as string | undefined) ?? usualStack,
    portBase: portOf(values['port-base'] as string | undefined),
    from,
    keys: values['keys'] as string | undefined,
    erasures: (values['erasures'] as string[] | undefined) ?? [],
    start: values['no-start'] !== true,
  };
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1024 || port > 65_235)
    throw new BackupRefused(`--port-base must be a number from 1024 to 65235, not "${text}"`);
  return port;
}

function parsed(
  argv: readonly string[],
  usage: string,
  options: Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }>,
): { values: Record<string, unknown>; positionals: string[] } {
  try {
    return parseArgs({ args: argv.filter((word) => word !== '--'), options, allowPositionals: true });
  } catch (error) {
    throw new BackupRefused(`${(error as Error).message}\n\n${usage}`);
  }
}
