import { ScriptError } from './script-error';
import type { Expression, Place, Statement } from './syntax';
import { tokenize } from './tokens';
import type { Token } from './tokens';

/** Words that mean something in JavaScript and nothing in VKScript: named in the error instead of "unknown variable". */
const UNSUPPORTED = new Set(
  'function for do switch case break continue new typeof instanceof in of let const class this throw try catch finally async await yield undefined void with import export fork wait'.split(
    ' ',
  ),
);
const PRECEDENCE: string[][] = [
  ['||'],
  ['&&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];
/** Deeper nesting is refused before it can exhaust the stack. */
const DEEPEST = 200;

/** Parses a script; every fault is a ScriptError with code 12. */
export function parseScript(code: string): Statement[] {
  return new Parser(tokenize(code)).script();
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly tokens: Token[]) {}

  script(): Statement[] {
    const statements: Statement[] = [];
    while (this.peek().kind !== 'end') {
      if (!this.take(';')) statements.push(this.statement());
    }
    return statements;
  }

  private statement(): Statement {
    const token = this.peek();
    if (this.is('{')) return this.nested(() => this.block());
    if (token.kind === 'name') {
      if (token.value === 'var') return this.declaration();
      if (token.value === 'if') return this.nested(() => this.condition());
      if (token.value === 'while') return this.nested(() => this.loop());
      if (token.value === 'return') return this.result();
      if (token.value === 'delete') return this.deletion();
      this.refuseForeign(token);
    }
    const value = this.expression();
    if (this.take('=')) {
      const assigned: Statement = { kind: 'assign', place: this.place(value), value: this.expression() };
      this.endOfStatement();
      return assigned;
    }
    this.endOfStatement();
    return { kind: 'expression', value };
  }

  private block(): Statement {
    this.expect('{');
    const statements: Statement[] = [];
    while (!this.take('}')) {
      if (this.peek().kind === 'end') this.unexpected();
      if (!this.take(';')) statements.push(this.statement());
    }
    return { kind: 'block', statements };
  }

  private declaration(): Statement {
    this.next();
    const variables: Array<{ name: string; value: Expression | null }> = [];
    do {
      const token = this.next();
      if (token.kind !== 'name') return this.unexpected(token);
      this.refuseForeign(token);
      variables.push({ name: token.value, value: this.take('=') ? this.expression() : null });
    } while (this.take(','));
    this.endOfStatement();
    return { kind: 'declare', variables };
  }

  private condition(): Statement {
    this.next();
    this.expect('(');
    const condition = this.expression();
    this.expect(')');
    const yes = this.statement();
    if (!this.isWord('else')) return { kind: 'if', condition, yes, no: null };
    this.next();
    return { kind: 'if', condition, yes, no: this.statement() };
  }

  private loop(): Statement {
    this.next();
    this.expect('(');
    const condition = this.expression();
    this.expect(')');
    return { kind: 'while', condition, body: this.statement() };
  }

  private result(): Statement {
    this.next();
    const value: Expression = this.is(';') ? { kind: 'literal', value: null } : this.expression();
    this.endOfStatement();
    return { kind: 'return', value };
  }

  private deletion(): Statement {
    this.next();
    const place = this.place(this.expression());
    this.endOfStatement();
    return { kind: 'delete', place };
  }

  private place(expression: Expression): Place {
    if (expression.kind === 'name' || expression.kind === 'field' || expression.kind === 'element')
      return expression;
    throw new ScriptError(12, `nothing can be assigned to this expression (line ${this.peek().line})`);
  }

  private expression(): Expression {
    return this.nested(() => {
      const condition = this.binary(0);
      if (!this.take('?')) return condition;
      const yes = this.expression();
      this.expect(':');
      return { kind: 'choice', condition, yes, no: this.expression() };
    });
  }

  private binary(level: number): Expression {
    const operators = PRECEDENCE[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const token = this.peek();
      if (token.kind !== 'mark' || !operators.includes(token.value)) return left;
      this.next();
      left = { kind: 'binary', operator: token.value, left, right: this.binary(level + 1) };
    }
  }

  private unary(): Expression {
    if (this.take('!')) return this.nested(() => ({ kind: 'not', of: this.unary() }));
    if (this.take('-')) return this.nested(() => ({ kind: 'minus', of: this.unary() }));
    if (this.take('+')) return this.nested(() => ({ kind: 'plus', of: this.unary() }));
    return this.postfix(this.primary());
  }

  private postfix(start: Expression): Expression {
    let expression = start;
    for (;;) {
      if (this.take('@.')) {
        expression = { kind: 'filter', of: expression, name: this.fieldName() };
      } else if (this.take('.')) {
        const line = this.peek().line;
        const name = this.fieldName();
        expression = this.is('(')
          ? { kind: 'method', of: expression, name, arguments: this.list('(', ')'), line }
          : { kind: 'field', of: expression, name };
      } else if (this.take('[')) {
        const at = this.expression();
        this.expect(']');
        expression = { kind: 'element', of: expression, at };
      } else {
        return expression;
      }
    }
  }

  private primary(): Expression {
    const token = this.next();
    if (token.kind === 'number' || token.kind === 'string') return { kind: 'literal', value: token.value };
    if (token.kind === 'mark') {
      if (token.value === '(') {
        const inner = this.expression();
        this.expect(')');
        return inner;
      }
      this.at -= 1;
      if (token.value === '[') return { kind: 'array', items: this.list('[', ']') };
      if (token.value === '{') return this.object();
      return this.unexpected();
    }
    if (token.kind === 'end') return this.unexpected(token);
    if (token.value === 'true' || token.value === 'false')
      return { kind: 'literal', value: token.value === 'true' };
    if (token.value === 'null') return { kind: 'literal', value: null };
    if (token.value === 'API') return this.apiCall();
    this.refuseForeign(token);
    if (this.is('('))
      return { kind: 'call', name: token.value, arguments: this.list('(', ')'), line: token.line };
    return { kind: 'name', name: token.value, line: token.line };
  }

  /** `API.section.method(argument)`; one argument at most, a trailing comma is let pass. */
  private apiCall(): Expression {
    const names: string[] = [];
    while (this.take('.')) names.push(this.fieldName());
    const passed = this.list('(', ')');
    if (names.length === 0 || passed.length > 1) return this.unexpected();
    return { kind: 'api', method: names.join('.'), argument: passed[0] ?? null };
  }

  private object(): Expression {
    const fields: Array<{ name: string; value: Expression }> = [];
    this.expect('{');
    while (!this.take('}')) {
      const token = this.next();
      if (token.kind === 'mark' || token.kind === 'end') return this.unexpected(token);
      this.expect(':');
      fields.push({ name: String(token.value), value: this.expression() });
      if (!this.is('}')) this.expect(',');
    }
    return { kind: 'object', fields };
  }

  private list(open: string, close: string): Expression[] {
    const items: Expression[] = [];
    this.expect(open);
    while (!this.take(close)) {
      items.push(this.expression());
      if (!this.is(close)) this.expect(',');
    }
    return items;
  }

  private fieldName(): string {
    const token = this.next();
    if (token.kind !== 'name') return this.unexpected(token);
    return token.value;
  }

  private endOfStatement(): void {
    // The last statement of a script or block may go without, as clients send it.
    if (!this.take(';') && !this.is('}') && this.peek().kind !== 'end') this.unexpected();
  }

  private refuseForeign(token: Token): void {
    if (UNSUPPORTED.has(String(token.value))) {
      throw new ScriptError(12, `'${token.value}' is not supported (line ${token.line})`);
    }
  }

  private nested<T>(parse: () => T): T {
    this.depth += 1;
    if (this.depth > DEEPEST) throw new ScriptError(12, `nested too deeply (line ${this.peek().line})`);
    const parsed = parse();
    this.depth -= 1;
    return parsed;
  }

  private peek(): Token {
    return this.tokens[this.at] as Token;
  }

  private next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.at += 1;
    return token;
  }

  private is(mark: string): boolean {
    const token = this.peek();
    return token.kind === 'mark' && token.value === mark;
  }

  private isWord(word: string): boolean {
    const token = this.peek();
    return token.kind === 'name' && token.value === word;
  }

  private take(mark: string): boolean {
    if (!this.is(mark)) return false;
    this.at += 1;
    return true;
  }

  private expect(mark: string): void {
    if (!this.take(mark)) this.unexpected();
  }

  private unexpected(token = this.peek()): never {
    const shown = token.kind === 'end' ? token.value : `'${String(token.value)}'`;
    throw new ScriptError(12, `unexpected ${shown} (line ${token.line})`);
  }
}
