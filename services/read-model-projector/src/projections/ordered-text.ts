/** Fields as JSON in the order of their names, those without a value left out: the same text for the same content. */
export function textInOrder(fields: object): string {
  return JSON.stringify(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
