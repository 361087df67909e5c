import { ArangoFault } from '../faults';

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'bind' | 'bindCollection' | 'op' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Text of a word or operator, name of a bind parameter, content of a string. */
  readonly text: string;
  /** Upper case for words, so that keywords compare in any case. */
  readonly upper: string;
  readonly value?: number;
  readonly at: number;
}

const OPERATORS = [
  '...', '==', '!=', '<=', '>=', '=~', '!~', '&&', '||', '..', '::', '?:',
  '(', ')', '[', ']', '{', '}', ',', ':', '?', '.', '=', '<', '>', '+', '-', '*', '/', '%', '!',
] as const; // prettier-ignore

const SPACE = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const WORD = /(?:\$?[A-Za-z][A-Za-z0-9_]*|_+[A-Za-z][A-Za-z0-9_]*)/y;
const NUMBER = /(?:0x[0-9a-fA-F]+|0b[01]+|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)/y;
const BIND = /@(@?)([A-Za-z0-9_]+)/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/** Splits AQL into tokens; the last one is always `end`. Throws 1501 on text that is no token. */
export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(query);
  };
  const push = (kind: TokenKind, text: string, length: number, value?: number): void => {
    tokens.push({
      kind,
      text,
      upper: kind === 'word' ? text.toUpperCase() : text,
      at,
      ...(value === undefined ? {} : { value }),
    });
    at += length;
  };
  for (;;) {
    at += match(SPACE)?.[0].length ?? 0;
    if (at >= query.length) break;
    const char = query[at] as string;
    let found: RegExpExecArray | null;
    if (char === '"' || char === "'") {
      const [text, length] = quoted(query, at, char);
      push('string', text, length);
    } else if (char === '`' || char === '´') {
      const [text, length] = quoted(query, at, char);
      push('quoted', text, length);
    } else if ((found = match(BIND))) {
      push(found[1] ? 'bindCollection' : 'bind', found[2] as string, found[0].length);
    } else if ((found = match(WORD))) push('word', found[0], found[0].length);
    else if ((found = match(NUMBER)) && !(char === '.' && query[at + 1] === '.')) {
      push('number', found[0], found[0].length, Number(found[0]));
    } else {
      const operator = OPERATORS.find((candidate) => query.startsWith(candidate, at));
      if (!operator) throw syntaxError(query, at, `unexpected character '${char}'`);
      push('op', operator, operator.length);
    }
  }
  tokens.push({ kind: 'end', text: '', upper: '', at: query.length });
  return tokens;
}

/** 1501 with ArangoDB's form of the sentence; clients should look at the number only. */
export function syntaxError(query: string, at: number, what: string): ArangoFault {
  const before = query.slice(0, at).split('\n');
  const column = (before.at(-1) ?? '').length + 1;
  const near = query.slice(at, at + 32);
  return new ArangoFault(1501, `syntax error, ${what} near '${near}' at position ${before.length}:${column}`);
}

function quoted(query: string, from: number, quote: string): [string, number] {
  let text = '';
  for (let i = from + 1; i < query.length; i++) {
    const char = query[i] as string;
    if (char === quote) return [text, i - from + 1];
    if (char !== '\\') text += char;
    else if (query[i + 1] === 'u') {
      text += String.fromCharCode(parseInt(query.slice(i + 2, i + 6), 16));
      i += 5;
    } else {
      i += 1;
      text += ESCAPES[query[i] as string] ?? query[i] ?? '';
    }
  }
  throw syntaxError(query, from, 'unexpected unterminated string literal');
}
