import { runScript } from './interpreter';
import { ScriptError } from './script-error';
import { fromJson, toJson } from './values';
import type { Value } from './values';

interface Called {
  method: string;
  parameters: Record<string, string>;
}

function run(
  code: string,
  options: { args?: Record<string, string>; answer?: (call: Called) => unknown; operations?: number } = {},
) {
  const calls: Called[] = [];
  const callApi = (method: string, parameters: Map<string, string>): Value => {
    const call = { method, parameters: Object.fromEntries(parameters) };
    calls.push(call);
    return fromJson(options.answer === undefined ? calls.length : options.answer(call));
  };
  const args = new Map(Object.entries(options.args ?? {}));
  const value = runScript(code, args, callApi, { apiCalls: 25, operations: options.operations ?? 1000 });
  return { value: toJson(value), calls };
}

function failure(code: string, operations?: number): [number, string] {
  try {
    run(code, operations === undefined ? {} : { operations });
  } catch (error) {
    if (error instanceof ScriptError) return [error.code, error.detail];
    throw error;
  }
  throw new Error('the script ran to its end');
}

describe('VKScript', () => {
  it('runs the batch that vk-io and the Java SDK send', () => {
    const { value, calls } = run(
      'return [API.friends.get({"user_id":1,"fields":"sex,city"}),API.friends.get({"user_id":"2"}),API.users.get(),];',
    );
    expect(value).toEqual([1, 2, 3]);
    expect(calls).toEqual([
      { method: 'friends.get', parameters: { user_id: '1', fields: 'sex,city' } },
      { method: 'friends.get', parameters: { user_id: '2' } },
      { method: 'users.get', parameters: {} },
    ]);
  });

  it('runs the requests pool of vk_api', () => {
    const { value, calls } = run(
      'var def_values = {"count": 7}, values = [11,12], result = [], i = 0; while(i < values.length) { def_values.user_id = values[i]; result.push(API.friends.get(def_values)); i = i + 1; } return result;',
    );
    expect(value).toEqual([1, 2]);
    expect(calls.map((call) => call.parameters)).toEqual([
      { count: '7', user_id: '11' },
      { count: '7', user_id: '12' },
    ]);
  });

  it('runs the recommended batch with 25 ids within the limit of operations', () => {
    const ids = Array.from({ length: 25 }, (_, n) => n + 1);
    const { value, calls } = run(
      `var ids = [${ids.join(',')}]; var out = []; var i = 0;
       while (i < ids.length) { out.push(API.friends.get({"user_id": ids[i], "count": 5000})); i = i + 1; }
       return out;`,
    );
    expect(value).toEqual(ids);
    expect(calls).toHaveLength(25);
  });

  it('runs the pagination of vk_api', () => {
    const answer = ({ parameters }: Called) => ({
      count: 5,
      items: [1, 2, 3, 4, 5].slice(Number(parameters['offset']), Number(parameters['offset']) + 2),
    });
    const { value } = run(
      `var params = {count: 2}, calls = 0, items = [], count = null, offset = 0, ri;
       while (calls < 25) {
         calls = calls + 1;
         params.offset = offset * 1;
         var response = API.wall.get(params);
         if (!response) { return {"_error": 1}; };
         var new_count = response.count;
         count = (count == null) ? new_count : count;
         ri = response.items;
         items = items + ri.slice(0);
         offset = offset + params.count;
         if (count == null || offset >= count) { calls = 99; };
       };
       return {count: count, items: items, offset: offset, more: calls != 99};`,
      { answer },
    );
    expect(value).toEqual({ count: 5, items: [1, 2, 3, 4, 5], offset: 6, more: false });
  });

  it('runs the collect iterator of vk-io', () => {
    const answer = ({ parameters }: Called) => ({
      count: 3,
      items: Number(parameters['offset']) < 3 ? [Number(parameters['offset'])] : [],
    });
    const { value } = run(
      `var total = parseInt(Args.total), offset = parseInt(Args.offset), items = [], i = 0, proceed = true, result, length;
       while (i < 25 && proceed) {
         result = API.friends.get({"offset": offset});
         length = result.items.length;
         if (total == 0 || length == 0) total = result.count;
         items = items + result.items;
         offset = offset + length;
         proceed = offset < total;
         i = i + 1;
       }
       if (items.length > total) items.splice(total);
       return {total: total, items: items};`,
      { answer, args: { total: '0', offset: '0' } },
    );
    expect(value).toEqual({ total: 3, items: [0, 1, 2] });
  });

  it.each([
    ['return 1 + 2 * 3 - 8 / 4 % 3;', 5],
    ['return "a" + 1 + [2, 3];', 'a12,3'],
    ['return [1] + [2];', [1, 2]],
    ['return 10 < 9 || "10" > 9 && "b" >= "a";', true],
    ['return "5" == 5;', true],
    ['return [false == null, 0 == false, null == null];', [false, true, true]],
    ['return {"items":[{"id":1},{"id":2},3]}.items@.id;', [1, 2, null]],
    [
      'var a = [1,2,3]; delete a[0]; a[1] = 9; a.unshift(0); return [a, a.pop(), a.shift(), a.indexOf(2)];',
      [[2], 9, 0, 0],
    ],
    [
      'return ["a,b".split(","), "hello".substr(1, 3), "hello".indexOf("l"), "abc".length];',
      [['a', 'b'], 'ell', 2, 3],
    ],
    ['var o = {}; o.x = 1; o["y"] = -2; delete o.x; return o;', { y: -2 }],
    ['return [parseInt("12px"), parseDouble("1.5"), parseInt("x")];', [12, 1.5, 0]],
    ['if (0) return 1; else if ("") return 2; else return 3;', 3],
    ['/* none */ var a; // rest\n return a;', null],
    ['return "\\u0416\\n\\"";', 'Ж\n"'],
    ['return Args.missing;', null],
    ['1;', null],
  ])('%s gives %j', (code, expected) => {
    expect(run(code).value).toEqual(expected);
  });

  it.each([
    ['for (;;) {}', "'for' is not supported (line 1)"],
    ['\nfunction f() {}', "'function' is not supported (line 2)"],
    ['var i = 0; i++;', "'++' is not supported (line 1)"],
    ['return 1 === 1;', "'===' is not supported (line 1)"],
    ['return fork(API.users.get());', "'fork' is not supported (line 1)"],
    ['return x;', "unknown variable 'x' (line 1)"],
    ['return foo(1);', "unknown function 'foo' (line 1)"],
    ['return [1].map(2);', "unknown method 'map' (line 1)"],
    ['return [1;', "unexpected ';' (line 1)"],
    ['return (1', 'unexpected end of the script (line 1)'],
    ['return "a', 'string without end (line 1)'],
    ['return `a`;', "unexpected '`' (line 1)"],
    ['1 = 2;', 'nothing can be assigned to this expression (line 1)'],
    [`return ${'('.repeat(300)}1;`, 'nested too deeply (line 1)'],
    ['while (true) { ', 'unexpected end of the script (line 1)'],
  ])('refuses %s with error 12', (code, detail) => {
    expect(failure(code)).toEqual([12, detail]);
  });

  it.each([
    ['return false.slice(1);', 'Method slice requires an array'],
    ['return (1).split(",");', 'Method split requires a string'],
    ['return [1] < 2;', 'Comparing values of different or unsupported types'],
    ['return 1 / 0;', 'Division by zero'],
    ['var a = []; a[99999999] = 1; return a;', 'Array index out of range'],
    ['while (true) {}', 'Too many operations'],
    [`return [${'API.users.get(),'.repeat(26)}];`, 'Too many API calls'],
  ])('stops %s with error 13', (code, detail) => {
    expect(failure(code)).toEqual([13, detail]);
  });

  const tooBig = 'response size is too big';
  it.each([
    ['a list that holds itself', 'var a = []; a.push(a); return a;', 1000],
    ['an object that holds itself', 'var o = {}; o.o = o; return {"deep": [o]};', 1000],
    [
      'a list doubled fifty times',
      'var i = 0; var a = [1]; while (i < 50) { a = [a, a]; i = i + 1; } return a;',
      1000,
    ],
    [
      'a list that holds itself as a parameter',
      'var a = []; a.push(a); return API.users.get({"user_ids": a});',
      1000,
    ],
    ['such a list as text', 'var a = []; a.push(a); return "ids: " + a;', 1000],
    [
      'lists in lists, 501 deep',
      'var i = 0; var a = []; while (i < 501) { a = [a]; i = i + 1; } return a;',
      9000,
    ],
  ])('stops %s with error 13', (_what, code, operations) => {
    expect(failure(code, operations)).toEqual([13, tooBig]);
  });

  it('gives lists that are 500 deep, and one list in many places', () => {
    const deep = 'var i = 0; var a = []; while (i < 500) { a = [a]; i = i + 1; } return a;';
    expect(JSON.stringify(run(deep, { operations: 9000 }).value)).toBe('['.repeat(501) + ']'.repeat(501));
    const { value, calls } = run(
      'var a = [1, [2]]; API.users.get({"user_ids": [a, a]}); return [a, {"a": a}];',
    );
    expect(value).toEqual([[1, [2]], { a: [1, [2]] }]);
    expect(calls[0]?.parameters).toEqual({ user_ids: '1,2,1,2' });
  });

  it('counts exactly as many operations as the limit allows', () => {
    expect(run('return 1;', { operations: 1 }).value).toBe(1);
    expect(failure('return 1 + 1;', 1)).toEqual([13, 'Too many operations']);
  });
});
