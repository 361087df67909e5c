import { ArangoFault, collectionNotFound, unsupported } from '../faults';
import type { Doc } from '../store/document';
import type { CompareOperator, Expr, Query, Suffix } from './ast';
import { aqlFunction, likePattern } from './functions';
import type { Evaluate, Frame, Scope } from './scope';
import { attribute, compareValues, element, finite, isTrue, toNumber, toText } from './values';

/** What expressions need of the query around them. */
export interface ExpressionContext {
  bind(name: string): unknown;
  hasCollection(name: string): boolean;
  countOf(collection: string): number;
  document(id: string): Doc | null;
  subquery(query: Query, scope: Scope): (frame: Frame) => unknown[];
}

/** Turns an expression into a function of the frame; names are resolved once, here. */
export function compileExpression(expr: Expr, scope: Scope, context: ExpressionContext): Evaluate {
  const compile = (inner: Expr): Evaluate => compileExpression(inner, scope, context);
  switch (expr.type) {
    case 'value':
      return () => expr.value;
    case 'bind': {
      const value = context.bind(expr.name);
      return () => value;
    }
    case 'name':
      return variable(expr.name, scope, context);
    case 'collection':
      throw unsupported('a collection as operand of an expression');
    case 'array': {
      const items = expr.items.map(compile);
      return (frame) => items.map((item) => item(frame));
    }
    case 'object':
      return compileObject(expr.members, compile);
    case 'attribute': {
      const of = compile(expr.of);
      const name = compile(expr.name);
      if (expr.name.type === 'value') {
        const fixed = expr.name.value as string;
        return (frame) => attribute(of(frame), fixed);
      }
      return (frame) => attribute(of(frame), toText(name(frame)));
    }
    case 'element': {
      const of = compile(expr.of);
      const index = compile(expr.index);
      return (frame) => element(of(frame), index(frame));
    }
    case 'expand':
      return compileExpansion(expr, scope, context);
    case 'call':
      return compileCall(expr.name, expr.args, compile, context);
    case 'not': {
      const operand = compile(expr.operand);
      return (frame) => !isTrue(operand(frame));
    }
    case 'sign': {
      const operand = compile(expr.operand);
      return expr.operator === '-'
        ? (frame) => -toNumber(operand(frame))
        : (frame) => toNumber(operand(frame));
    }
    case 'and': {
      const [left, right] = [compile(expr.left), compile(expr.right)];
      return (frame) => {
        const value = left(frame);
        return isTrue(value) ? right(frame) : value;
      };
    }
    case 'or': {
      const [left, right] = [compile(expr.left), compile(expr.right)];
      return (frame) => {
        const value = left(frame);
        return isTrue(value) ? value : right(frame);
      };
    }
    case 'compare':
      return compileComparison(expr, compile);
    case 'arithmetic':
      return compileArithmetic(expr.operator, compile(expr.left), compile(expr.right));
    case 'range': {
      const [low, high] = [compile(expr.low), compile(expr.high)];
      return (frame) => range(Math.trunc(toNumber(low(frame))), Math.trunc(toNumber(high(frame))));
    }
    case 'choice': {
      const condition = compile(expr.condition);
      const then = expr.then && compile(expr.then);
      const otherwise = compile(expr.otherwise);
      return (frame) => {
        const value = condition(frame);
        return isTrue(value) ? (then ? then(frame) : value) : otherwise(frame);
      };
    }
    case 'subquery':
      return context.subquery(expr.query, scope);
  }
}

function variable(name: string, scope: Scope, context: ExpressionContext): Evaluate {
  const slot = scope.find(name);
  if (slot !== undefined) return (frame) => frame[slot];
  if (!context.hasCollection(name)) throw collectionNotFound(name);
  throw new ArangoFault(1568, `collection used as expression operand: ${name}`);
}

function compileObject(members: { key: Expr; value: Expr }[], compile: (expr: Expr) => Evaluate): Evaluate {
  const parts = members.map(({ key, value }) => [compile(key), compile(value)] as const);
  return (frame) => {
    const object: Doc = {};
    for (const [key, value] of parts) object[toText(key(frame))] = value(frame);
    return object;
  };
}

function compileCall(
  name: string,
  args: Expr[],
  compile: (expr: Expr) => Evaluate,
  context: ExpressionContext,
): Evaluate {
  const first = args[0];
  if ((name === 'LENGTH' || name === 'COUNT') && first) {
    const collection = collectionName(first, context);
    if (collection !== undefined) return () => context.countOf(collection);
  }
  if (name === 'DOCUMENT') return compileDocument(args, compile, context);
  if (name === 'NOOPT' || name === 'PASSTHRU') return compile(first ?? { type: 'value', value: null });
  const call = aqlFunction(name);
  const compiled = args.map(compile);
  return (frame) => call(...compiled.map((arg) => arg(frame))) ?? null;
}

/** DOCUMENT(id | ids) and DOCUMENT(collection, key | keys). */
function compileDocument(
  args: Expr[],
  compile: (expr: Expr) => Evaluate,
  context: ExpressionContext,
): Evaluate {
  const [first, second] = args;
  if (!first) throw new ArangoFault(1541, "invalid number of arguments for function 'DOCUMENT'");
  const prefix = second ? (collectionName(first, context) ?? first) : undefined;
  const collection = typeof prefix === 'string' ? (): string => prefix : prefix && compile(prefix);
  const handle = compile(second ?? first);
  const read = (id: unknown, frame: Frame): Doc | null => {
    if (typeof id !== 'string') return null;
    return context.document(collection && !id.includes('/') ? `${toText(collection(frame))}/${id}` : id);
  };
  return (frame) => {
    const ids = handle(frame);
    return Array.isArray(ids)
      ? ids.map((id) => read(id, frame)).filter((doc) => doc !== null)
      : read(ids, frame);
  };
}

function collectionName(expr: Expr, context: ExpressionContext): string | undefined {
  if (expr.type === 'collection') return toText(context.bind(`@${expr.name}`));
  return expr.type === 'name' && context.hasCollection(expr.name) ? expr.name : undefined;
}

const TESTS: Readonly<Record<CompareOperator, (a: unknown, b: unknown) => boolean>> = {
  '==': (a, b) => compareValues(a, b) === 0,
  '!=': (a, b) => compareValues(a, b) !== 0,
  '<': (a, b) => compareValues(a, b) < 0,
  '<=': (a, b) => compareValues(a, b) <= 0,
  '>': (a, b) => compareValues(a, b) > 0,
  '>=': (a, b) => compareValues(a, b) >= 0,
  IN: (a, b) => Array.isArray(b) && b.some((item) => compareValues(a, item) === 0),
  'NOT IN': (a, b) => !Array.isArray(b) || !b.some((item) => compareValues(a, item) === 0),
  LIKE: (a, b) => likePattern(toText(b), false).test(toText(a)),
  'NOT LIKE': (a, b) => !likePattern(toText(b), false).test(toText(a)),
  '=~': (a, b) => new RegExp(toText(b), 'u').test(toText(a)),
  '!~': (a, b) => !new RegExp(toText(b), 'u').test(toText(a)),
};

function compileComparison(
  expr: Extract<Expr, { type: 'compare' }>,
  compile: (expr: Expr) => Evaluate,
): Evaluate {
  const test = TESTS[expr.operator];
  const [left, right] = [compile(expr.left), compile(expr.right)];
  const { quantifier } = expr;
  if (!quantifier) {
    const bound = expr.right.type === 'bind' && (expr.operator === 'IN' || expr.operator === 'NOT IN');
    return bound
      ? boundMembership(left, right, expr.operator === 'IN')
      : (frame) => test(left(frame), right(frame));
  }
  return (frame) => {
    const items = left(frame);
    if (!Array.isArray(items)) return false;
    const other = right(frame);
    if (quantifier === 'ALL') return items.every((item) => test(item, other));
    return items.some((item) => test(item, other)) === (quantifier === 'ANY');
  };
}

/** `x IN @list` over many rows: strings are looked up in a set made once. */
function boundMembership(left: Evaluate, right: Evaluate, wanted: boolean): Evaluate {
  let strings: Set<unknown> | undefined;
  return (frame) => {
    const items = right(frame);
    if (!Array.isArray(items)) return !wanted;
    strings ??= new Set(items.filter((item) => typeof item === 'string'));
    const value = left(frame);
    if (typeof value === 'string') return strings.has(value) === wanted;
    return items.some((item) => compareValues(value, item) === 0) === wanted;
  };
}

function compileArithmetic(operator: string, left: Evaluate, right: Evaluate): Evaluate {
  switch (operator) {
    case '+':
      return (frame) => finite(toNumber(left(frame)) + toNumber(right(frame)));
    case '-':
      return (frame) => finite(toNumber(left(frame)) - toNumber(right(frame)));
    case '*':
      return (frame) => finite(toNumber(left(frame)) * toNumber(right(frame)));
    case '/':
      return (frame) => finite(toNumber(left(frame)) / toNumber(right(frame)));
    default:
      return (frame) => finite(toNumber(left(frame)) % toNumber(right(frame)));
  }
}

function range(low: number, high: number): number[] {
  const step = low <= high ? 1 : -1;
  return Array.from({ length: Math.abs(high - low) + 1 }, (_, i) => low + i * step);
}

/** `list[* FILTER .. LIMIT .. RETURN ..].suffix`: CURRENT is the element. */
function compileExpansion(
  expr: Extract<Expr, { type: 'expand' }>,
  scope: Scope,
  context: ExpressionContext,
): Evaluate {
  const of = compileExpression(expr.of, scope, context);
  const inner = scope.inner();
  const current = inner.redeclare('CURRENT');
  const compile = (part: Expr): Evaluate => compileExpression(part, inner, context);
  const filter = expr.filter && compile(expr.filter);
  const limit = expr.limit?.map(compile);
  const project = expr.project && compile(expr.project);
  const suffix = expr.suffix.map((part) => compileSuffix(part, compile));
  return (frame) => {
    const source = of(frame);
    let items = Array.isArray(source) ? source.flat(expr.levels - 1) : [];
    if (filter) items = items.filter((item) => isTrue(((frame[current] = item), filter(frame))));
    const [offset, count] = limit ?? [];
    if (offset && count) {
      const from = toNumber(offset(frame));
      items = items.slice(from, from + toNumber(count(frame)));
    }
    return items.map((item: unknown) => {
      frame[current] = item;
      const value = project ? project(frame) : item;
      return suffix.reduce((result, apply) => apply(result, frame), value);
    });
  };
}

function compileSuffix(
  part: Suffix,
  compile: (expr: Expr) => Evaluate,
): (value: unknown, frame: Frame) => unknown {
  if ('name' in part) {
    const name = compile(part.name);
    return (value, frame) => attribute(value, toText(name(frame)));
  }
  const index = compile(part.index);
  return (value, frame) => element(value, index(frame));
}
