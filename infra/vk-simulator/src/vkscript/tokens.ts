import { ScriptError } from './script-error';

export type Token =
  | { kind: 'number'; value: number; line: number }
  | { kind: 'string'; value: string; line: number }
  | { kind: 'name'; value: string; line: number }
  | { kind: 'mark'; value: string; line: number }
  | { kind: 'end'; value: string; line: number };

const MARKS = ['@.', '<=', '>=', '==', '!=', '&&', '||', ...'{}[]().,;:?=<>+-*/%!'];
/** Marks of other languages that would otherwise be read as two of ours. */
const FOREIGN = [
  '===',
  '!==',
  '++',
  '--',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '=>',
  '**',
  '<<',
  '>>',
  '...',
  '??',
  '?.',
];

/** Cuts a script into tokens; comments and blanks vanish. */
export function tokenize(code: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  while (at < code.length) {
    const blank = /^\s+/.exec(code.slice(at, at + 512));
    if (blank !== null) {
      line += blank[0].split('\n').length - 1;
      at += blank[0].length;
      continue;
    }
    if (code.startsWith('//', at)) {
      const end = code.indexOf('\n', at);
      at = end === -1 ? code.length : end;
      continue;
    }
    if (code.startsWith('/*', at)) {
      const end = code.indexOf('*/', at + 2);
      if (end === -1) throw new ScriptError(12, `comment without end (line ${line})`);
      line += code.slice(at, end).split('\n').length - 1;
      at = end + 2;
      continue;
    }
    const token = readToken(code, at, line);
    tokens.push(token.token);
    at = token.next;
  }
  tokens.push({ kind: 'end', value: 'end of the script', line });
  return tokens;
}

function readToken(code: string, at: number, line: number): { token: Token; next: number } {
  const character = code.charAt(at);
  if (character === '"' || character === "'") return readString(code, at, line);
  const rest = /^(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z_$][\w$]*)/.exec(code.slice(at, at + 256));
  if (rest !== null) {
    const text = rest[0];
    const next = at + text.length;
    if (/\d/.test(character)) return { token: { kind: 'number', value: Number(text), line }, next };
    return { token: { kind: 'name', value: text, line }, next };
  }
  const foreign = FOREIGN.find((mark) => code.startsWith(mark, at));
  if (foreign !== undefined) throw new ScriptError(12, `'${foreign}' is not supported (line ${line})`);
  const mark = MARKS.find((known) => code.startsWith(known, at));
  if (mark === undefined) throw new ScriptError(12, `unexpected '${character}' (line ${line})`);
  return { token: { kind: 'mark', value: mark, line }, next: at + mark.length };
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

function readString(code: string, start: number, line: number): { token: Token; next: number } {
  const quote = code.charAt(start);
  let value = '';
  let at = start + 1;
  for (;;) {
    const character = code.charAt(at);
    if (character === '' || character === '\n')
      throw new ScriptError(12, `string without end (line ${line})`);
    if (character === quote) return { token: { kind: 'string', value, line }, next: at + 1 };
    if (character !== '\\') {
      value += character;
      at += 1;
      continue;
    }
    const escaped = code.charAt(at + 1);
    const unicode = /^u([0-9a-fA-F]{4})/.exec(code.slice(at + 1, at + 6));
    if (unicode?.[1] !== undefined) {
      value += String.fromCharCode(parseInt(unicode[1], 16));
      at += 6;
    } else {
      value += ESCAPES[escaped] ?? escaped;
      at += 2;
    }
  }
}
