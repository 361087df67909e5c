const QUOTE = 34;
const BACKSLASH = 92;
const OPENING = new Set([91, 123]);
const CLOSING = new Set([93, 125]);

/**
 * True when lists and objects of a JSON text lie in one another more than `most` deep. Whoever walks through such a
 * value by recursion runs out of stack. About a millisecond for a megabyte.
 */
export function nestsDeeperThan(most: number, text: string): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charCodeAt(at);
    if (inText) {
      if (sign === BACKSLASH) at += 1;
      else if (sign === QUOTE) inText = false;
    } else if (sign === QUOTE) inText = true;
    else if (OPENING.has(sign)) {
      depth += 1;
      if (depth > most) return true;
    } else if (CLOSING.has(sign)) depth -= 1;
  }
  return false;
}
