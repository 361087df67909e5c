import type { Expression } from './syntax';
import { TokenReader } from './token-reader';

/** Binary operators, the loosest first. */
const PRECEDENCE: string[][] = [
  ['||'],
  ['&&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];
/** Everything that has a value: from `a ? b : c` down to names and literals. */
export class ExpressionParser extends TokenReader {
  protected expression(): Expression {
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
      this.back();
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
}
