import { ScriptError } from './script-error';
import type { Token } from './tokens';

/** Words that mean something in JavaScript and nothing in VKScript: named in the error instead of "unknown variable". */
const UNSUPPORTED = new Set(
  'function for do switch case break continue new typeof instanceof in of let const class this throw try catch finally async await yield undefined void with import export fork wait'.split(
    ' ',
  ),
);
/** Deeper nesting is refused before it can exhaust the stack. */
const DEEPEST = 200;

/** Walks along the tokens of a script: the part of the parser that knows no grammar. */
export class TokenReader {
  private at = 0;
  private depth = 0;

  constructor(private readonly tokens: Token[]) {}

  /** The token just read is to be read again. */
  protected back(): void {
    this.at -= 1;
  }

  protected refuseForeign(token: Token): void {
    if (UNSUPPORTED.has(String(token.value))) {
      throw new ScriptError(12, `'${token.value}' is not supported (line ${token.line})`);
    }
  }

  protected nested<T>(parse: () => T): T {
    this.depth += 1;
    if (this.depth > DEEPEST) throw new ScriptError(12, `nested too deeply (line ${this.peek().line})`);
    const parsed = parse();
    this.depth -= 1;
    return parsed;
  }

  protected peek(): Token {
    return this.tokens[this.at] as Token;
  }

  protected next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.at += 1;
    return token;
  }

  protected is(mark: string): boolean {
    const token = this.peek();
    return token.kind === 'mark' && token.value === mark;
  }

  protected isWord(word: string): boolean {
    const token = this.peek();
    return token.kind === 'name' && token.value === word;
  }

  protected take(mark: string): boolean {
    if (!this.is(mark)) return false;
    this.at += 1;
    return true;
  }

  protected expect(mark: string): void {
    if (!this.take(mark)) this.unexpected();
  }

  protected unexpected(token = this.peek()): never {
    const shown = token.kind === 'end' ? token.value : `'${String(token.value)}'`;
    throw new ScriptError(12, `unexpected ${shown} (line ${token.line})`);
  }
}
