import { ArangoFault, unsupported } from '../faults';
import type {
  Collect,
  CollectionRef,
  Direction,
  Expr,
  Query,
  ShortestPath,
  Statement,
  Traversal,
} from './ast';
import { ExpressionParser } from './expression-parser';
import { TokenStream } from './token-stream';

const DIRECTIONS = ['OUTBOUND', 'INBOUND', 'ANY'];

/** Parses a query of the subset. 1501 for text that is no AQL, 501 for AQL outside the subset. */
export function parseQuery(text: string): Query {
  if (text.trim() === '') throw new ArangoFault(1502, 'query is empty');
  const parser = new QueryParser(new TokenStream(text));
  return parser.whole();
}

class QueryParser {
  readonly #expressions: ExpressionParser;

  constructor(private readonly tokens: TokenStream) {
    this.#expressions = new ExpressionParser(tokens, () => this.query());
  }

  whole(): Query {
    const query = this.query();
    if (this.tokens.current.kind !== 'end') this.tokens.fail('expecting end of query string');
    return query;
  }

  query(): Query {
    if (this.tokens.takeWord('WITH')) this.#withCollections();
    const statements: Statement[] = [];
    for (;;) {
      const statement = this.#statement();
      statements.push(...statement);
      if (statement[0]?.type === 'return') return { statements };
    }
  }

  /** Needed by clusters only; one process has all collections at hand. */
  #withCollections(): void {
    do {
      if (this.tokens.current.kind === 'bindCollection') this.tokens.next();
      else this.tokens.expectName();
      this.tokens.takeOp(',');
    } while (this.tokens.isName() || this.tokens.current.kind === 'bindCollection');
  }

  #statement(): Statement[] {
    const { upper } = this.tokens.current;
    if (this.tokens.takeWord('FOR')) return [this.#for()];
    if (this.tokens.takeWord('LET')) return this.#lets();
    if (this.tokens.takeWord('FILTER'))
      return [{ type: 'filter', condition: this.#expressions.expression() }];
    if (this.tokens.takeWord('SORT')) return [this.#sort()];
    if (this.tokens.takeWord('LIMIT')) return [this.#limit()];
    if (this.tokens.takeWord('COLLECT')) return [this.#collect()];
    if (this.tokens.takeWord('RETURN')) {
      const distinct = this.tokens.takeWord('DISTINCT');
      return [{ type: 'return', distinct, value: this.#expressions.expression() }];
    }
    if (this.tokens.isWord('INSERT', 'UPDATE', 'REPLACE', 'REMOVE', 'UPSERT', 'WINDOW'))
      throw unsupported(upper);
    return this.tokens.fail('expecting a statement');
  }

  #for(): Statement {
    if (this.tokens.isOp('[', '{')) throw unsupported('destructuring in FOR');
    const variables = [this.tokens.expectName()];
    while (this.tokens.takeOp(',')) variables.push(this.tokens.expectName());
    this.tokens.expectWord('IN');
    if (this.tokens.isWord('K_PATHS', 'K_SHORTEST_PATHS', 'ALL_SHORTEST_PATHS'))
      throw unsupported(this.tokens.current.upper);
    if (this.tokens.isWord(...DIRECTIONS)) {
      const one: Expr = { type: 'value', value: 1 };
      return this.#traversal(variables, one, one);
    }
    const source = this.#expressions.expression();
    if (this.tokens.isWord(...DIRECTIONS)) {
      return source.type === 'range'
        ? this.#traversal(variables, source.low, source.high)
        : this.#traversal(variables, source, source);
    }
    if (variables.length > 1) this.tokens.fail('expecting a direction');
    if (this.tokens.isWord('SEARCH')) throw unsupported('SEARCH');
    if (this.tokens.takeWord('OPTIONS')) this.#expressions.expression(); // hints for an optimizer
    return { type: 'for', variable: variables[0] as string, in: source };
  }

  #traversal(variables: string[], min: Expr, max: Expr): Traversal | ShortestPath {
    const direction = this.tokens.next().upper as Direction;
    if (this.tokens.isWord('K_SHORTEST_PATHS', 'ALL_SHORTEST_PATHS', 'K_PATHS')) {
      throw unsupported(this.tokens.current.upper);
    }
    if (this.tokens.takeWord('SHORTEST_PATH')) return this.#shortestPath(variables, direction);
    if (variables.length > 3) this.tokens.fail('expecting at most three variables');
    const start = this.#expressions.expression();
    const edges = this.#edges(direction);
    const prune = this.tokens.takeWord('PRUNE') ? this.#expressions.expression() : undefined;
    const options = this.tokens.takeWord('OPTIONS') ? this.#expressions.expression() : undefined;
    return {
      type: 'traverse',
      variables,
      min,
      max,
      direction,
      start,
      edges,
      ...(prune && { prune }),
      ...(options && { options }),
    };
  }

  #shortestPath(variables: string[], direction: Direction): ShortestPath {
    if (variables.length > 2) this.tokens.fail('expecting at most two variables');
    const from = this.#expressions.expression();
    this.tokens.expectWord('TO');
    const to = this.#expressions.expression();
    const edges = this.#edges(direction);
    const options = this.tokens.takeWord('OPTIONS') ? this.#expressions.expression() : undefined;
    return { type: 'shortest', variables, from, to, edges, ...(options && { options }) };
  }

  #edges(direction: Direction): Traversal['edges'] {
    if (this.tokens.isWord('GRAPH')) throw unsupported('a named GRAPH');
    const edges: Traversal['edges'] = [];
    do {
      const own = this.tokens.isWord(...DIRECTIONS) ? (this.tokens.next().upper as Direction) : direction;
      edges.push({ direction: own, collection: this.#collectionRef() });
    } while (this.tokens.takeOp(','));
    return edges;
  }

  #collectionRef(): CollectionRef {
    const { kind } = this.tokens.current;
    if (kind === 'bindCollection' || kind === 'bind') {
      const { text } = this.tokens.next();
      return { bind: kind === 'bind' ? text : `@${text}` };
    }
    return { name: this.tokens.expectName() };
  }

  #lets(): Statement[] {
    const lets: Statement[] = [];
    do {
      if (this.tokens.isOp('[', '{')) throw unsupported('destructuring in LET');
      const variable = this.tokens.expectName();
      this.tokens.expectOp('=');
      lets.push({ type: 'let', variable, value: this.#expressions.expression() });
    } while (this.tokens.takeOp(','));
    return lets;
  }

  #sort(): Statement {
    const keys: { by: Expr; descending: boolean | Expr }[] = [];
    do {
      const by = this.#expressions.expression();
      let descending: boolean | Expr = false;
      if (this.tokens.takeWord('DESC')) descending = true;
      else if (this.tokens.current.kind === 'bind')
        descending = { type: 'bind', name: this.tokens.next().text };
      else this.tokens.takeWord('ASC');
      keys.push({ by, descending });
    } while (this.tokens.takeOp(','));
    return { type: 'sort', keys };
  }

  #limit(): Statement {
    const first = this.#expressions.expression();
    if (!this.tokens.takeOp(',')) return { type: 'limit', count: first };
    return { type: 'limit', offset: first, count: this.#expressions.expression() };
  }

  #collect(): Collect {
    const collect: Collect = { type: 'collect', keys: [], aggregates: [] };
    if (this.tokens.isName() && this.tokens.peek(1).text === '=') {
      do collect.keys.push(this.#assignment());
      while (this.tokens.takeOp(','));
    }
    if (this.tokens.takeWord('AGGREGATE')) {
      do {
        const { variable, by } = this.#assignment();
        if (by.type !== 'call' || by.args.length > 1)
          throw new ArangoFault(1574, 'invalid aggregate expression');
        collect.aggregates.push({
          variable,
          function: by.name,
          argument: by.args[0] ?? { type: 'value', value: null },
        });
      } while (this.tokens.takeOp(','));
    }
    if (this.tokens.takeWord('WITH')) {
      this.tokens.expectWord('COUNT');
      this.tokens.expectWord('INTO');
      collect.countInto = this.tokens.expectName();
    } else if (this.tokens.takeWord('INTO')) {
      const variable = this.tokens.expectName();
      const project = this.tokens.takeOp('=') ? this.#expressions.expression() : undefined;
      const keep = this.tokens.takeWord('KEEP') ? this.#names() : undefined;
      collect.into = { variable, ...(project && { project }), ...(keep && { keep }) };
    }
    if (this.tokens.takeWord('OPTIONS')) this.#expressions.expression();
    return collect;
  }

  #assignment(): { variable: string; by: Expr } {
    const variable = this.tokens.expectName();
    this.tokens.expectOp('=');
    return { variable, by: this.#expressions.expression() };
  }

  #names(): string[] {
    const names = [this.tokens.expectName()];
    while (this.tokens.takeOp(',')) names.push(this.tokens.expectName());
    return names;
  }
}
