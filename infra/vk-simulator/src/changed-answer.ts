/**
 * The answer as if the API had changed: the field at `path` is gone, or has another type. Parts of a path are field
 * names; `*` stands for every element of a list (`response.*.items` in an execute of friend lists).
 */
export function changedAnswer(body: string, kind: 'without' | 'retyped', path: string): string {
  const json = JSON.parse(body) as unknown;
  const parts = path.split('.');
  const last = parts.pop() as string;
  for (const holder of reached([json], parts)) {
    for (const name of last === '*' ? Object.keys(holder) : [last]) {
      if (!Object.hasOwn(holder, name)) continue;
      if (kind === 'without') delete holder[name];
      else holder[name] = retyped(holder[name]);
    }
  }
  return JSON.stringify(json);
}

type Holder = Record<string, unknown>;

function reached(from: unknown[], parts: readonly string[]): Holder[] {
  const holders = from.filter((value): value is Holder => typeof value === 'object' && value !== null);
  const [part, ...rest] = parts;
  if (part === undefined) return holders;
  return reached(
    holders.flatMap((holder) => (part === '*' ? Object.values(holder) : [holder[part]])),
    rest,
  );
}

function retyped(value: unknown): unknown {
  if (typeof value === 'number') return `n${value}`;
  if (typeof value === 'string') return { text: value };
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) ? { list: value } : [value];
}
