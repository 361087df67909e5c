import { syntaxError, tokenize, type Token } from './lexer';

/** Reserved words: none of them can name a variable or collection without quotes. */
const RESERVED = new Set(
  (
    'AGGREGATE ALL ALL_SHORTEST_PATHS AND ANY ASC COLLECT DESC DISTINCT FALSE FILTER FOR GRAPH IN INBOUND INSERT ' +
    'INTO K_PATHS K_SHORTEST_PATHS LET LIKE LIMIT NONE NOT NULL OR OUTBOUND REMOVE REPLACE RETURN SHORTEST_PATH ' +
    'SORT TRUE UPDATE UPSERT WINDOW WITH'
  ).split(' '),
);

/** Reading position over the tokens of one query. */
export class TokenStream {
  readonly #tokens: Token[];
  #at = 0;

  constructor(readonly query: string) {
    this.#tokens = tokenize(query);
  }

  get current(): Token {
    return this.#tokens[this.#at] as Token;
  }

  peek(ahead: number): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)] as Token;
  }

  next(): Token {
    const token = this.current;
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  isWord(...words: string[]): boolean {
    return this.current.kind === 'word' && words.includes(this.current.upper);
  }

  isOp(...operators: string[]): boolean {
    return this.current.kind === 'op' && operators.includes(this.current.text);
  }

  takeWord(...words: string[]): boolean {
    if (!this.isWord(...words)) return false;
    this.next();
    return true;
  }

  takeOp(...operators: string[]): boolean {
    if (!this.isOp(...operators)) return false;
    this.next();
    return true;
  }

  expectOp(operator: string): void {
    if (!this.takeOp(operator)) this.fail(`expecting '${operator}'`);
  }

  expectWord(word: string): void {
    if (!this.takeWord(word)) this.fail(`expecting ${word}`);
  }

  /** A name that is no keyword, or any quoted one. */
  expectName(): string {
    const token = this.current;
    if (token.kind === 'quoted' || (token.kind === 'word' && !RESERVED.has(token.upper)))
      return this.next().text;
    return this.fail('expecting an identifier');
  }

  isName(): boolean {
    const { kind, upper } = this.current;
    return kind === 'quoted' || (kind === 'word' && !RESERVED.has(upper));
  }

  fail(expectation: string): never {
    const { kind, text, at } = this.current;
    const what = kind === 'end' ? 'unexpected end of query string' : `unexpected ${kind} '${text}'`;
    throw syntaxError(this.query, at, `${what}, ${expectation}`);
  }
}
