/** Words of PromQL that stand where a name of a series might. */
const WORDS = new Set(
  'by without on ignoring group_left group_right bool and or unless offset atan2 start end inf nan'.split(
    ' ',
  ),
);

/**
 * The names of the series in an expression: what is left of the identifiers without texts, label matchers, durations,
 * lists of labels, functions and words of the language.
 */
export function seriesIn(expression: string): string[] {
  const bare = expression
    .replaceAll(/"(?:\\.|[^"\\])*"/g, '""')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const names = [...bare.matchAll(/(?<![\w:$.])[a-zA-Z_][\w:]*(?!\w|:|\s*\()/g)].map(([name]) => name);
  return [...new Set(names.filter((name) => !WORDS.has(name.toLowerCase())))];
}
