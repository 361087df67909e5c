import { callMethod, knowsMethod } from './built-in-methods';
import { parseScript } from './parser';
import { ScriptError } from './script-error';
import type { Expression, Place, Statement } from './syntax';
import { binary, isTrue, toNumber, toParameter } from './values';
import type { Value } from './values';

export interface ScriptLimits {
  apiCalls: number;
  /** Statements, operators and calls that may be executed. */
  operations: number;
}

/** One call of `API.section.method(...)`; its answer is `false` when the method failed. */
export type ApiCall = (method: string, parameters: Map<string, string>) => Value;

/** Runs a script and gives the value that it returns (null when it returns none). Throws ScriptError. */
export function runScript(
  code: string,
  args: Map<string, string>,
  callApi: ApiCall,
  limits: ScriptLimits,
): Value {
  return new Interpreter(args, callApi, limits).run(parseScript(code));
}

class Returned {
  constructor(readonly value: Value) {}
}

class Interpreter {
  private readonly variables = new Map<string, Value>();
  private apiCalls = 0;
  private operations = 0;

  constructor(
    args: Map<string, string>,
    private readonly callApi: ApiCall,
    private readonly limits: ScriptLimits,
  ) {
    this.variables.set('Args', new Map(args));
  }

  run(statements: Statement[]): Value {
    for (const statement of statements) {
      const returned = this.execute(statement);
      if (returned !== undefined) return returned.value;
    }
    return null;
  }

  private execute(statement: Statement): Returned | undefined {
    this.count();
    switch (statement.kind) {
      case 'declare':
        for (const { name, value } of statement.variables) {
          this.variables.set(name, value === null ? null : this.value(value));
        }
        return undefined;
      case 'assign':
        this.assign(statement.place, this.value(statement.value));
        return undefined;
      case 'delete':
        this.remove(statement.place);
        return undefined;
      case 'expression':
        this.value(statement.value);
        return undefined;
      case 'return':
        return new Returned(this.value(statement.value));
      case 'if':
        if (isTrue(this.value(statement.condition))) return this.execute(statement.yes);
        return statement.no === null ? undefined : this.execute(statement.no);
      case 'while':
        while (isTrue(this.value(statement.condition))) {
          const returned = this.execute(statement.body);
          if (returned !== undefined) return returned;
        }
        return undefined;
      case 'block':
        for (const inner of statement.statements) {
          const returned = this.execute(inner);
          if (returned !== undefined) return returned;
        }
        return undefined;
    }
  }

  private value(expression: Expression): Value {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'array':
        return expression.items.map((item) => this.value(item));
      case 'object':
        return new Map(expression.fields.map(({ name, value }) => [name, this.value(value)]));
      case 'name': {
        const found = this.variables.get(expression.name);
        if (found === undefined) {
          throw new ScriptError(12, `unknown variable '${expression.name}' (line ${expression.line})`);
        }
        return found;
      }
      case 'field':
        return this.field(this.value(expression.of), expression.name);
      case 'element':
        return this.element(this.value(expression.of), this.value(expression.at));
      case 'filter': {
        const list = this.value(expression.of);
        return Array.isArray(list) ? list.map((item) => this.field(item, expression.name)) : null;
      }
      case 'not':
        this.count();
        return !isTrue(this.value(expression.of));
      case 'minus':
        this.count();
        return -toNumber(this.value(expression.of));
      case 'plus':
        this.count();
        return toNumber(this.value(expression.of));
      case 'choice':
        this.count();
        return this.value(isTrue(this.value(expression.condition)) ? expression.yes : expression.no);
      case 'binary':
        return this.binary(expression.operator, expression.left, expression.right);
      case 'api':
        return this.api(expression.method, expression.argument);
      case 'call':
        return this.call(expression.name, expression.arguments, expression.line);
      case 'method': {
        this.count();
        if (!knowsMethod(expression.name)) {
          throw new ScriptError(12, `unknown method '${expression.name}' (line ${expression.line})`);
        }
        const of = this.value(expression.of);
        return callMethod(
          of,
          expression.name,
          expression.arguments.map((argument) => this.value(argument)),
        );
      }
    }
  }

  private binary(operator: string, left: Expression, right: Expression): Value {
    this.count();
    const first = this.value(left);
    if (operator === '&&') return isTrue(first) ? this.value(right) : first;
    if (operator === '||') return isTrue(first) ? first : this.value(right);
    return binary(operator, first, this.value(right));
  }

  private api(method: string, argument: Expression | null): Value {
    this.count();
    this.apiCalls += 1;
    if (this.apiCalls > this.limits.apiCalls) throw new ScriptError(13, 'Too many API calls');
    const given = argument === null ? null : this.value(argument);
    const parameters = new Map<string, string>();
    if (given instanceof Map) {
      for (const [name, value] of given) {
        const parameter = toParameter(value);
        if (parameter !== undefined) parameters.set(name, parameter);
      }
    }
    return this.callApi(method, parameters);
  }

  private call(name: string, given: Expression[], line: number): Value {
    this.count();
    if (name !== 'parseInt' && name !== 'parseDouble') {
      throw new ScriptError(12, `unknown function '${name}' (line ${line})`);
    }
    const value = given[0] === undefined ? null : this.value(given[0]);
    const number = typeof value === 'string' ? Number.parseFloat(value) : toNumber(value);
    if (Number.isNaN(number)) return 0;
    return name === 'parseInt' ? Math.trunc(number) : number;
  }

  private field(of: Value, name: string): Value {
    if (of instanceof Map) return of.get(name) ?? null;
    if (name === 'length' && (Array.isArray(of) || typeof of === 'string')) return of.length;
    return null;
  }

  private element(of: Value, at: Value): Value {
    if (of instanceof Map) return of.get(String(at)) ?? null;
    if (Array.isArray(of)) return of[toNumber(at)] ?? null;
    if (typeof of === 'string') return of.charAt(toNumber(at));
    return null;
  }

  private assign(place: Place, value: Value): void {
    if (place.kind === 'name') {
      this.variables.set(place.name, value);
      return;
    }
    const of = this.value(place.of);
    const at = place.kind === 'field' ? place.name : this.value(place.at);
    if (of instanceof Map) {
      of.set(String(at), value);
    } else if (Array.isArray(of)) {
      const index = toNumber(at);
      // Holes would cost memory without an operation being counted.
      if (!Number.isInteger(index) || index < 0 || index > of.length)
        throw new ScriptError(13, 'Array index out of range');
      of[index] = value;
    } else {
      throw new ScriptError(13, 'Assigning to a field of a value that has none');
    }
  }

  private remove(place: Place): void {
    if (place.kind === 'name') {
      this.variables.delete(place.name);
      return;
    }
    const of = this.value(place.of);
    const at = place.kind === 'field' ? place.name : this.value(place.at);
    if (of instanceof Map) of.delete(String(at));
    else if (Array.isArray(of)) of.splice(toNumber(at), 1);
  }

  private count(): void {
    this.operations += 1;
    if (this.operations > this.limits.operations) throw new ScriptError(13, 'Too many operations');
  }
}
