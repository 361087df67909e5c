import type { Condition, WantedOrder } from './access';
import { pathOf } from './access';
import type { Expr, Query, Statement } from './ast';
import type { Evaluate } from './scope';

interface Helpers {
  bind: (name: string) => unknown;
  /** Compiles an expression that does not use the FOR's variable. */
  compile: (expr: Expr) => Evaluate;
}

const MIRRORED = { '==': '==', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;
/** More alternatives than this are read as one scan. */
const MAX_ALTERNATIVES = 64;

/** The FILTERs right behind a FOR as alternatives of conditions (disjunctive normal form). */
export function conditionsFor(variable: string, following: Statement[], helpers: Helpers): Condition[][] {
  let alternatives: Condition[][] = [[]];
  for (const statement of following) {
    if (statement.type !== 'filter') break;
    const own = fromExpr(statement.condition, variable, helpers);
    alternatives = cross(alternatives, own);
  }
  return alternatives;
}

/** The SORT that follows the FILTERs of a FOR, when it sorts by attributes of its variable in one direction. */
export function orderFor(
  variable: string,
  following: Statement[],
  bind: (name: string) => unknown,
): (WantedOrder & { at: number }) | undefined {
  const at = following.findIndex((statement) => statement.type !== 'filter');
  const sort = following[at];
  if (sort?.type !== 'sort') return undefined;
  const paths = sort.keys.map(({ by }) => pathOf(by, variable, bind));
  const directions = new Set(sort.keys.map(({ descending }) => descending));
  const [descending] = directions;
  if (directions.size !== 1 || typeof descending !== 'boolean') return undefined;
  return paths.every((path) => path !== undefined) ? { paths, descending, at } : undefined;
}

function fromExpr(expr: Expr, variable: string, helpers: Helpers): Condition[][] {
  if (expr.type === 'and') {
    return cross(fromExpr(expr.left, variable, helpers), fromExpr(expr.right, variable, helpers));
  }
  if (expr.type === 'or') {
    const both = [...fromExpr(expr.left, variable, helpers), ...fromExpr(expr.right, variable, helpers)];
    return both.length > MAX_ALTERNATIVES ? [[]] : both;
  }
  if (expr.type !== 'compare' || expr.quantifier) return [[]];
  const left = pathOf(expr.left, variable, helpers.bind);
  const right = pathOf(expr.right, variable, helpers.bind);
  const { operator } = expr;
  if (left !== undefined && !uses(expr.right, variable) && (operator === 'IN' || operator in MIRRORED)) {
    return [
      [{ path: left, operator: operator as Condition['operator'], value: helpers.compile(expr.right) }],
    ];
  }
  const elements = operator === 'IN' ? elementsOf(expr.right, variable, helpers.bind) : undefined;
  if (elements !== undefined && !uses(expr.left, variable))
    return [[{ path: elements, operator: '==', value: helpers.compile(expr.left) }]];
  if (right !== undefined && !uses(expr.left, variable) && operator in MIRRORED) {
    const mirrored = MIRRORED[operator as keyof typeof MIRRORED];
    return [[{ path: right, operator: mirrored, value: helpers.compile(expr.left) }]];
  }
  return [[]];
}

/** `doc.words[*]` as the field of an array index, which a value is looked for in. */
function elementsOf(expr: Expr, variable: string, bind: (name: string) => unknown): string | undefined {
  if (expr.type !== 'expand' || expr.levels !== 1 || expr.suffix.length > 0) return undefined;
  if (expr.filter !== undefined || expr.limit !== undefined || expr.project !== undefined) return undefined;
  const path = pathOf(expr.of, variable, bind);
  return path === undefined ? undefined : `${path}[*]`;
}

function cross(a: Condition[][], b: Condition[][]): Condition[][] {
  if (a.length * b.length > MAX_ALTERNATIVES) return a;
  return a.flatMap((left) => b.map((right) => [...left, ...right]));
}

/** True when the expression mentions the variable anywhere, subqueries included. */
function uses(node: Expr | Query | Statement, variable: string): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if ('type' in node && node.type === 'name' && node.name === variable) return true;
  return Object.values(node).some((child: unknown) =>
    Array.isArray(child)
      ? child.some((item: Expr) => uses(item, variable))
      : typeof child === 'object' && child !== null && uses(child as Expr, variable),
  );
}
