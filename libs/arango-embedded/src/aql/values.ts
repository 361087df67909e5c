/** AQL's order of types: null < bool < number < string < array < object. */
function rank(value: unknown): number {
  if (value === null || value === undefined) return 0;
  if (typeof value === 'boolean') return 1;
  if (typeof value === 'number') return 2;
  if (typeof value === 'string') return 3;
  return Array.isArray(value) ? 4 : 5;
}

/** AQL's total order; negative, zero or positive. Strings compare by UTF-16 units (ArangoDB: by its collation). */
export function compareValues(a: unknown, b: unknown): number {
  const byType = rank(a) - rank(b);
  if (byType !== 0) return byType;
  switch (rank(a)) {
    case 0:
      return 0;
    case 1:
    case 2:
      return Number(a) - Number(b);
    case 3:
      return (a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0;
    case 4:
      return compareArrays(a as unknown[], b as unknown[]);
    default:
      return compareObjects(a as Record<string, unknown>, b as Record<string, unknown>);
  }
}

/** An element that is missing counts as null. */
function compareArrays(a: unknown[], b: unknown[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = i >= a.length ? -1 : i >= b.length ? 1 : compareValues(a[i], b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Over the union of the attribute names, sorted; a missing one counts as null. */
function compareObjects(a: Record<string, unknown>, b: Record<string, unknown>): number {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  for (const name of names) {
    const order = compareValues(a[name], b[name]);
    if (order !== 0) return order;
  }
  return 0;
}

export function isTrue(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false && value !== 0 && value !== '';
}

/** TO_NUMBER, which arithmetic applies to its operands. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === true) return 1;
  if (typeof value === 'string') {
    const number = value.trim() === '' ? 0 : Number(value);
    return Number.isFinite(number) ? number : 0;
  }
  if (Array.isArray(value)) return value.length === 1 ? toNumber(value[0]) : 0;
  return 0;
}

export function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** NaN and infinities cannot be stored or returned: they are null. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** `doc.name`: null for everything that has no such attribute. */
export function attribute(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return Object.hasOwn(value, name) ? ((value as Record<string, unknown>)[name] ?? null) : null;
}

/** `value[index]`: an element, counted from the end when negative, or an attribute. */
export function element(value: unknown, index: unknown): unknown {
  if (!Array.isArray(value))
    return typeof index === 'string' || typeof index === 'number' ? attribute(value, String(index)) : null;
  if (typeof index !== 'number') return null;
  return (value.at(Math.trunc(index)) as unknown) ?? null;
}
