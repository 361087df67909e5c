import { ArangoFault } from '../faults';
import type { Mischief } from '../mischief';
import type { Collection } from '../store/collection';
import type { Doc } from '../store/document';
import { chooseAccess } from './access';
import type { Collect, CollectionRef, Expr, Query, ShortestPath, Statement, Traversal } from './ast';
import { Budget } from './budget';
import { type CollectPlan, collectRows, requireAggregate } from './collect';
import { conditionsFor, orderFor } from './conditions';
import { compileExpression, type ExpressionContext } from './expressions';
import { identity } from './functions';
import { shortestPathRows, type Surroundings, traversalRows } from './graph-stages';
import { parseQuery } from './parser';
import { type Evaluate, type Frame, Scope, Slots } from './scope';
import {
  assign,
  filterRows,
  forCollection,
  forList,
  limitRows,
  type QueryStats,
  rowCount,
  sortRows,
  type Stage,
} from './stages';
import { insistOnUnweighted } from './shortest-path';
import type { EdgeSource } from './traversal';

export interface CollectionSource {
  collection(name: string): Collection;
  has(name: string): boolean;
}

export interface QueryResult {
  rows: unknown[];
  stats: QueryStats;
  /** How each FOR over a collection was read: `primary`, `edge`, an index' name or `scan`. */
  access: string[];
}

/** Parses, compiles and runs one query in one go: one snapshot, no interleaved writes. */
export function runQuery(
  text: string,
  bindVars: Record<string, unknown>,
  source: CollectionSource,
  mischief: Mischief,
  budget = new Budget(),
): QueryResult {
  const compilation = new Compilation(bindVars, source, mischief, budget);
  const results = compilation.query(parseQuery(text), new Scope(compilation.slots));
  compilation.insistThatAllBound();
  const frame = new Array<unknown>(compilation.slots.count).fill(null);
  return { rows: results(frame), stats: compilation.stats, access: compilation.access };
}

/** State while the statements of one query are compiled. */
interface Building {
  stages: Stage[];
  base: Scope;
  scope: Scope;
  /** Variables since the first FOR: what COLLECT ... INTO gathers. */
  locals: [string, number][];
  /** True once more than one row may flow: then no index can spare a SORT. */
  manyRows: boolean;
}

class Compilation implements ExpressionContext {
  readonly slots = new Slots();
  readonly stats: QueryStats = { scannedFull: 0, scannedIndex: 0, filtered: 0 };
  readonly access: string[] = [];
  readonly #used = new Set<string>();

  constructor(
    private readonly bindVars: Record<string, unknown>,
    private readonly source: CollectionSource,
    private readonly mischief: Mischief,
    private readonly budget: Budget,
  ) {}

  bind(name: string): unknown {
    this.#used.add(name);
    if (!Object.hasOwn(this.bindVars, name)) {
      throw new ArangoFault(1551, `no value specified for declared bind parameter '${name}' (while parsing)`);
    }
    return this.bindVars[name] ?? null;
  }

  hasCollection(name: string): boolean {
    return this.source.has(name);
  }

  countOf(collection: string): number {
    return this.source.collection(collection).count();
  }

  document(id: string): Doc | null {
    const slash = id.indexOf('/');
    const collection = id.slice(0, Math.max(0, slash));
    return this.source.has(collection)
      ? (this.source.collection(collection).value(id.slice(slash + 1)) ?? null)
      : null;
  }

  subquery(query: Query, scope: Scope): (frame: Frame) => unknown[] {
    return this.query(query, scope.inner());
  }

  insistThatAllBound(): void {
    const surplus = Object.keys(this.bindVars).find((name) => !this.#used.has(name));
    if (surplus !== undefined) {
      throw new ArangoFault(
        1552,
        `bind parameter '${surplus}' was not declared in the query (while parsing)`,
      );
    }
  }

  query({ statements }: Query, scope: Scope): (frame: Frame) => unknown[] {
    const building: Building = { stages: [], base: scope, scope, locals: [], manyRows: false };
    const last = statements.at(-1);
    let sortedAt = -1;
    statements.forEach((statement, i) => {
      if (i === sortedAt) return; // The index already delivers this order.
      if (statement.type === 'for') {
        const spared = this.#for(statement, statements.slice(i + 1), building);
        if (spared !== undefined) sortedAt = i + 1 + spared;
      } else this.#statement(statement, building);
    });
    if (last?.type !== 'return') throw new ArangoFault(1501, 'query has no RETURN');
    return this.#results(last, building);
  }

  #statement(statement: Exclude<Statement, { type: 'for' }>, building: Building): void {
    const { stages, scope } = building;
    switch (statement.type) {
      case 'traverse':
        this.#traverse(statement, building);
        return;
      case 'shortest':
        this.#shortestPath(statement, building);
        return;
      case 'let': {
        const value = this.#compile(statement.value, scope);
        stages.push(assign(this.#declare(statement.variable, building), value));
        return;
      }
      case 'filter':
        stages.push(filterRows(this.#compile(statement.condition, scope), this.stats));
        return;
      case 'sort':
        stages.push(
          sortRows(
            statement.keys.map((key) => ({
              by: this.#compile(key.by, scope),
              descending: this.#descending(key.descending),
            })),
          ),
        );
        return;
      case 'limit': {
        const offset = statement.offset ? this.#constant(statement.offset) : 0;
        stages.push(
          limitRows(rowCount(offset, 0), rowCount(this.#constant(statement.count), Number.MAX_SAFE_INTEGER)),
        );
        return;
      }
      case 'collect':
        this.#collect(statement, building);
        return;
      case 'return':
    }
  }

  #compile(expr: Expr, scope: Scope): Evaluate {
    return compileExpression(expr, scope, this);
  }

  #constant(expr: Expr): unknown {
    return this.#compile(expr, new Scope(this.slots))([]);
  }

  #descending(direction: boolean | Expr): boolean {
    if (typeof direction === 'boolean') return direction;
    const value = this.#constant(direction);
    return typeof value === 'string' ? value.toUpperCase() === 'DESC' : value === false;
  }

  #declare(name: string, building: Building): number {
    const slot = building.scope.declare(name);
    if (building.manyRows) building.locals.push([name, slot]);
    return slot;
  }

  #open(building: Building): void {
    building.scope = building.scope.inner();
    building.manyRows = true;
  }

  /** Position of a SORT, counted from the following statement, that the chosen index makes needless. */
  #for(
    statement: Extract<Statement, { type: 'for' }>,
    following: Statement[],
    building: Building,
  ): number | undefined {
    const { scope: outer, manyRows, stages } = building;
    const collection = this.#collectionOf(statement.in, outer);
    const source = collection ? undefined : this.#compile(statement.in, outer);
    this.#open(building);
    const slot = this.#declare(statement.variable, building);
    if (source) stages.push(forList(source, slot));
    if (!collection) return undefined;
    const bind = (name: string): unknown => this.bind(name);
    const compile = (expr: Expr): Evaluate => this.#compile(expr, outer);
    const order = manyRows ? undefined : orderFor(statement.variable, following, bind);
    const conditions = conditionsFor(statement.variable, following, { bind, compile });
    const access = chooseAccess(collection, conditions, order, this.mischief);
    this.access.push(access.via);
    stages.push(forCollection(access, slot, this.stats, this.budget));
    return access.ordered ? order?.at : undefined;
  }

  #collectionOf(expr: Expr, scope: Scope): Collection | undefined {
    if (expr.type === 'collection') return this.#collection({ bind: `@${expr.name}` });
    if (expr.type !== 'name' || scope.find(expr.name) !== undefined) return undefined;
    return this.source.collection(expr.name);
  }

  #collection(ref: CollectionRef): Collection {
    if ('name' in ref) return this.source.collection(ref.name);
    const name = this.bind(ref.bind);
    if (typeof name !== 'string') {
      throw new ArangoFault(1553, `bind parameter '${ref.bind}' has an invalid value or type`);
    }
    return this.source.collection(name);
  }

  #traverse(statement: Traversal, building: Building): void {
    const start = this.#compile(statement.start, building.scope);
    const min = this.#compile(statement.min, building.scope);
    const max = this.#compile(statement.max, building.scope);
    const options = statement.options ? this.#constant(statement.options) : {};
    const edges = this.#edges(statement.edges);
    this.#open(building);
    const slots = statement.variables.map((name) => this.#declare(name, building));
    const prune = statement.prune && this.#compile(statement.prune, building.scope);
    this.access.push('edge');
    const stage = { start, min, max, options, edges, slots, prune };
    building.stages.push(traversalRows(stage, this.#surroundings()));
  }

  #shortestPath(statement: ShortestPath, building: Building): void {
    const from = this.#compile(statement.from, building.scope);
    const to = this.#compile(statement.to, building.scope);
    if (statement.options) insistOnUnweighted(this.#constant(statement.options));
    const edges = this.#edges(statement.edges);
    this.#open(building);
    const slots = statement.variables.map((name) => this.#declare(name, building));
    this.access.push('edge');
    building.stages.push(shortestPathRows({ from, to, edges, slots }, this.#surroundings()));
  }

  #edges(edges: Traversal['edges']): EdgeSource[] {
    return edges.map(({ direction, collection }) => ({
      direction,
      collection: this.#collection(collection),
    }));
  }

  #surroundings(): Surroundings {
    const { mischief, budget, stats } = this;
    return { vertex: (id) => this.document(id), mischief, budget, stats };
  }

  #collect(statement: Collect, building: Building): void {
    const { scope: before, locals } = building;
    const keys = statement.keys.map(({ by }) => this.#compile(by, before));
    const aggregates = statement.aggregates.map(({ argument }) => this.#compile(argument, before));
    const project = statement.into?.project && this.#compile(statement.into.project, before);
    const kept = locals.filter(([name]) => statement.into?.keep?.includes(name) ?? true);
    building.scope = building.base.inner();
    building.locals = [];
    building.manyRows = true;
    const plan: CollectPlan = {
      keys: statement.keys.map(({ variable }, i) => ({
        slot: this.#declare(variable, building),
        by: keys[i] as Evaluate,
      })),
      aggregates: statement.aggregates.map((aggregate, i) => ({
        slot: this.#declare(aggregate.variable, building),
        function: requireAggregate(aggregate.function),
        argument: aggregates[i] as Evaluate,
      })),
    };
    if (statement.countInto !== undefined) plan.countSlot = this.#declare(statement.countInto, building);
    if (statement.into) {
      const gather = (frame: Frame): unknown =>
        Object.fromEntries(kept.map(([name, slot]) => [name, frame[slot] ?? null]));
      plan.into = { slot: this.#declare(statement.into.variable, building), project: project ?? gather };
    }
    const upstream = building.stages.splice(0);
    building.stages.push(function* (input) {
      for (const frame of input) yield* collectRows(plan, pipe(upstream, [frame]), frame);
    });
  }

  #results(
    statement: Extract<Statement, { type: 'return' }>,
    { stages, scope, manyRows }: Building,
  ): (frame: Frame) => unknown[] {
    const value = this.#compile(statement.value, scope);
    if (statement.distinct && !manyRows) throw new ArangoFault(1501, 'RETURN DISTINCT needs a FOR');
    const distinct = statement.distinct;
    return (frame) => {
      const rows: unknown[] = [];
      const seen = new Set<string>();
      for (const row of pipe(stages, [frame.slice()])) {
        const result = value(row) ?? null;
        if (distinct) {
          const id = identity(result);
          if (seen.has(id)) continue;
          seen.add(id);
        }
        rows.push(result);
      }
      return rows;
    };
  }
}

function pipe(stages: Stage[], input: Iterable<Frame>): Iterable<Frame> {
  return stages.reduce((rows, stage) => stage(rows), input);
}
