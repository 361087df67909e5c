import { unsupported } from '../faults';
import type { CompareOperator, Expr, Quantifier, Query, Suffix } from './ast';
import type { TokenStream } from './token-stream';

/** Precedence climbing over AQL's levels; the parser of statements supplies subqueries. */
export class ExpressionParser {
  constructor(
    private readonly tokens: TokenStream,
    private readonly subquery: () => Query,
  ) {}

  expression(): Expr {
    const condition = this.#or();
    if (this.tokens.takeOp('?:')) return { type: 'choice', condition, otherwise: this.expression() };
    if (!this.tokens.takeOp('?')) return condition;
    const then = this.expression();
    this.tokens.expectOp(':');
    return { type: 'choice', condition, then, otherwise: this.expression() };
  }

  #or(): Expr {
    let left = this.#and();
    while (this.tokens.takeOp('||') || this.tokens.takeWord('OR'))
      left = { type: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Expr {
    let left = this.#equality();
    while (this.tokens.takeOp('&&') || this.tokens.takeWord('AND')) {
      left = { type: 'and', left, right: this.#equality() };
    }
    return left;
  }

  #equality(): Expr {
    let left = this.#membership();
    for (;;) {
      const quantifier = this.#quantifier();
      const negated = this.tokens.isWord('NOT') && this.tokens.peek(1).upper === 'LIKE';
      if (negated) this.tokens.next();
      if (this.tokens.takeWord('LIKE')) {
        left = { type: 'compare', operator: negated ? 'NOT LIKE' : 'LIKE', left, right: this.#membership() };
        continue;
      }
      const operator = (['==', '!=', '=~', '!~'] as const).find((candidate) => this.tokens.isOp(candidate));
      if (operator) {
        this.tokens.next();
        left = compare(operator, left, this.#membership(), quantifier);
        continue;
      }
      if (quantifier) left = this.#quantified(left, quantifier);
      else return left;
    }
  }

  /** `left ANY <op> right` where the operator binds tighter than `==`. */
  #quantified(left: Expr, quantifier: Quantifier): Expr {
    const operator = this.#inOperator() ?? this.#orderOperator();
    if (!operator) return this.tokens.fail('expecting a comparison operator');
    return compare(operator, left, this.#ranges(), quantifier);
  }

  #quantifier(): Quantifier | undefined {
    if (this.tokens.isWord('AT') && this.tokens.peek(1).upper === 'LEAST') throw unsupported('AT LEAST');
    if (!this.tokens.isWord('ANY', 'ALL', 'NONE')) return undefined;
    // `1..2 ANY @start edges` is a direction: a quantifier stands before a comparison operator.
    if (!['==', '!=', '<', '<=', '>', '>=', 'IN', 'NOT'].includes(this.tokens.peek(1).upper))
      return undefined;
    return this.tokens.next().upper as Quantifier;
  }

  #membership(): Expr {
    let left = this.#order();
    for (;;) {
      const operator = this.#inOperator();
      if (!operator) return left;
      left = compare(operator, left, this.#order());
    }
  }

  #inOperator(): CompareOperator | undefined {
    if (this.tokens.takeWord('IN')) return 'IN';
    if (!this.tokens.isWord('NOT') || this.tokens.peek(1).upper !== 'IN') return undefined;
    this.tokens.next();
    this.tokens.next();
    return 'NOT IN';
  }

  #order(): Expr {
    let left = this.#ranges();
    for (;;) {
      const operator = this.#orderOperator();
      if (!operator) return left;
      left = compare(operator, left, this.#ranges());
    }
  }

  #orderOperator(): CompareOperator | undefined {
    const operator = (['<=', '>=', '<', '>'] as const).find((candidate) => this.tokens.isOp(candidate));
    if (operator) this.tokens.next();
    return operator;
  }

  #ranges(): Expr {
    const low = this.#sum();
    return this.tokens.takeOp('..') ? { type: 'range', low, high: this.#sum() } : low;
  }

  #sum(): Expr {
    let left = this.#product();
    for (;;) {
      const operator = (['+', '-'] as const).find((candidate) => this.tokens.isOp(candidate));
      if (!operator) return left;
      this.tokens.next();
      left = { type: 'arithmetic', operator, left, right: this.#product() };
    }
  }

  #product(): Expr {
    let left = this.#unary();
    for (;;) {
      const operator = (['*', '/', '%'] as const).find((candidate) => this.tokens.isOp(candidate));
      if (!operator) return left;
      this.tokens.next();
      left = { type: 'arithmetic', operator, left, right: this.#unary() };
    }
  }

  #unary(): Expr {
    if (this.tokens.takeOp('!') || this.tokens.takeWord('NOT'))
      return { type: 'not', operand: this.#unary() };
    const operator = (['+', '-'] as const).find((candidate) => this.tokens.isOp(candidate));
    if (!operator) return this.#postfix();
    this.tokens.next();
    return { type: 'sign', operator, operand: this.#unary() };
  }

  #postfix(): Expr {
    let of = this.#primary();
    for (;;) {
      if (this.tokens.takeOp('.')) of = { type: 'attribute', of, name: this.#attributeName() };
      else if (!this.tokens.isOp('[')) return of;
      else if (['*', '?'].includes(this.tokens.peek(1).text)) of = this.#expansion(of);
      else {
        this.tokens.next();
        of = { type: 'element', of, index: this.expression() };
        this.tokens.expectOp(']');
      }
    }
  }

  #attributeName(): Expr {
    if (this.tokens.current.kind === 'bind') return { type: 'bind', name: this.tokens.next().text };
    if (this.tokens.current.kind === 'word' || this.tokens.current.kind === 'quoted') {
      return { type: 'value', value: this.tokens.next().text };
    }
    return this.tokens.fail('expecting an attribute name');
  }

  #expansion(of: Expr): Expr {
    this.tokens.expectOp('[');
    if (this.tokens.isOp('?')) throw unsupported('the question mark operator [?]');
    let levels = 0;
    while (this.tokens.takeOp('*')) levels += 1;
    const filter = this.tokens.takeWord('FILTER') ? this.expression() : undefined;
    const limit = this.tokens.takeWord('LIMIT') ? this.#inlineLimit() : undefined;
    const project = this.tokens.takeWord('RETURN') ? this.expression() : undefined;
    this.tokens.expectOp(']');
    return {
      type: 'expand',
      of,
      levels,
      ...(filter && { filter }),
      ...(limit && { limit }),
      ...(project && { project }),
      suffix: this.#suffixes(),
    };
  }

  #inlineLimit(): [Expr, Expr] {
    const first = this.expression();
    return this.tokens.takeOp(',') ? [first, this.expression()] : [{ type: 'value', value: 0 }, first];
  }

  #suffixes(): Suffix[] {
    const suffix: Suffix[] = [];
    for (;;) {
      if (this.tokens.takeOp('.')) suffix.push({ name: this.#attributeName() });
      else if (this.tokens.isOp('[') && !['*', '?'].includes(this.tokens.peek(1).text)) {
        this.tokens.next();
        suffix.push({ index: this.expression() });
        this.tokens.expectOp(']');
      } else return suffix;
    }
  }

  #primary(): Expr {
    const { kind, text, value, upper } = this.tokens.current;
    switch (kind) {
      case 'number':
        this.tokens.next();
        return { type: 'value', value };
      case 'string':
        this.tokens.next();
        return { type: 'value', value: text };
      case 'bind':
        this.tokens.next();
        return { type: 'bind', name: text };
      case 'bindCollection':
        this.tokens.next();
        return { type: 'collection', name: text };
      case 'word':
        if (upper in LITERALS) {
          this.tokens.next();
          return { type: 'value', value: LITERALS[upper] };
        }
        break;
      default:
    }
    if (this.tokens.isOp('(')) return this.#parenthesised();
    if (this.tokens.isOp('[')) return { type: 'array', items: this.#list('[', ']') };
    if (this.tokens.isOp('{')) return this.#object();
    if (this.#isCall()) return this.#call();
    return { type: 'name', name: this.tokens.expectName() };
  }

  #isCall(): boolean {
    const following = this.tokens.peek(1);
    if (following.kind === 'op' && following.text === '::') throw unsupported('a user-defined function');
    const named = this.tokens.isName() || this.tokens.isWord('LIKE');
    return named && following.kind === 'op' && following.text === '(';
  }

  #call(): Expr {
    const { upper } = this.tokens.next();
    return { type: 'call', name: upper, args: this.#list('(', ')') };
  }

  #parenthesised(): Expr {
    this.tokens.expectOp('(');
    const inner = this.#expressionOrQuery();
    this.tokens.expectOp(')');
    return inner;
  }

  #expressionOrQuery(): Expr {
    const starts = this.tokens.isWord(
      'FOR',
      'LET',
      'RETURN',
      'WITH',
      'INSERT',
      'UPDATE',
      'REPLACE',
      'REMOVE',
      'UPSERT',
    );
    return starts ? { type: 'subquery', query: this.subquery() } : this.expression();
  }

  #list(open: string, close: string): Expr[] {
    this.tokens.expectOp(open);
    const items: Expr[] = [];
    while (!this.tokens.isOp(close)) {
      items.push(this.#expressionOrQuery());
      if (!this.tokens.takeOp(',')) break;
    }
    this.tokens.expectOp(close);
    return items;
  }

  #object(): Expr {
    this.tokens.expectOp('{');
    const members: { key: Expr; value: Expr }[] = [];
    while (!this.tokens.isOp('}')) {
      members.push(this.#member());
      if (!this.tokens.takeOp(',')) break;
    }
    this.tokens.expectOp('}');
    return { type: 'object', members };
  }

  #member(): { key: Expr; value: Expr } {
    const { kind, text } = this.tokens.current;
    if (this.tokens.takeOp('[')) {
      const key = this.expression();
      this.tokens.expectOp(']');
      this.tokens.expectOp(':');
      return { key, value: this.#expressionOrQuery() };
    }
    const key: Expr = kind === 'bind' ? { type: 'bind', name: text } : { type: 'value', value: text };
    const shorthand = this.tokens.isName();
    if (!['word', 'quoted', 'string', 'bind'].includes(kind)) this.tokens.fail('expecting an attribute name');
    this.tokens.next();
    if (this.tokens.takeOp(':')) return { key, value: this.#expressionOrQuery() };
    if (!shorthand) this.tokens.fail("expecting ':'");
    return { key, value: { type: 'name', name: text } };
  }
}

const LITERALS: Readonly<Record<string, unknown>> = { NULL: null, TRUE: true, FALSE: false };

function compare(operator: CompareOperator, left: Expr, right: Expr, quantifier?: Quantifier): Expr {
  return { type: 'compare', operator, left, right, ...(quantifier && { quantifier }) };
}
