import { ExpressionParser } from './expression-parser';
import { ScriptError } from './script-error';
import type { Expression, Place, Statement } from './syntax';
import { tokenize } from './tokens';

/** Parses a script; every fault is a ScriptError with code 12. */
export function parseScript(code: string): Statement[] {
  return new Parser(tokenize(code)).script();
}

/** Statements: declarations, assignments, `if`, `while`, `delete`, `return`, blocks. */
class Parser extends ExpressionParser {
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

  private endOfStatement(): void {
    // The last statement of a script or block may go without, as clients send it.
    if (!this.take(';') && !this.is('}') && this.peek().kind !== 'end') this.unexpected();
  }
}
