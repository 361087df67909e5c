/** Letters of a word that the index knows; longer words are told apart by the text beside it. */
export const INDEXED_LETTERS = 8;

/** What NFKD does not take apart. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  þ: 'th',
  ı: 'i',
};

interface Folded {
  text: string;
  /** For each UTF-16 unit of `text`: where the character that it came from begins in the original, and where it ends. */
  begins: number[];
  ends: number[];
}

/**
 * A text as it is searched: lower case, without diacritics, so that ё is е, é is e and İ is i; й stays й, which is a
 * letter of its own. Latin and Cyrillic alike; what has no case or marks stays as it is.
 */
function fold(original: string): Folded {
  const folded: Folded = { text: '', begins: [], ends: [] };
  let at = 0;
  for (const character of original) {
    const end = at + character.length;
    const plain = foldCharacter(character);
    // A mark of its own belongs to the character before it.
    if (plain === '' && folded.ends.length > 0) folded.ends[folded.ends.length - 1] = end;
    folded.text += plain;
    for (let unit = 0; unit < plain.length; unit++) {
      folded.begins.push(at);
      folded.ends.push(end);
    }
    at = end;
  }
  return folded;
}

/** Characters below are folded once and remembered: Latin, Greek, Cyrillic, Hebrew. Those of all scripts would be many. */
const COMMON = 0x0600;
const known = new Map<string, string>();

function foldCharacter(character: string): string {
  if (character.charCodeAt(0) >= COMMON) return plainOf(character);
  let plain = known.get(character);
  if (plain === undefined) known.set(character, (plain = plainOf(character)));
  return plain;
}

function plainOf(character: string): string {
  const lower = character.toLowerCase();
  if (lower === 'й') return lower;
  const plain = lower.normalize('NFKD').replace(/\p{M}/gu, '');
  return LETTERS[plain] ?? plain;
}

const WORDS = /[\p{L}\p{N}]+/gu;

/** The different words of a text, folded, in their order. */
export function wordsOf(text: string): string[] {
  let folded = '';
  for (const character of text.normalize('NFC')) folded += foldCharacter(character);
  return [...new Set(folded.match(WORDS) ?? [])];
}

/** Words with a space before each and one behind the last: ` vera ` is a word in it, ` ver` begins one. */
export function searchable(words: readonly string[]): string {
  return words.length === 0 ? ' ' : ` ${words.join(' ')} `;
}

/**
 * What a document is found by: each beginning of each word, of two to eight letters, and words of one letter; in front
 * the graph, so that one index serves all graphs and none sees another's.
 */
export function tokensOf(graph: string, words: readonly string[]): string[] {
  const tokens = new Set<string>();
  for (const word of words) {
    const letters = [...word];
    for (
      let length = Math.min(2, letters.length);
      length <= Math.min(INDEXED_LETTERS, letters.length);
      length++
    )
      tokens.add(`${graph}:${letters.slice(0, length).join('')}`);
  }
  return [...tokens];
}

export interface Wanted {
  /** What the index is asked for: the beginning of the longest word. */
  token: string;
  /** What the searchable text must contain, each of them. */
  parts: string[];
}

/** Every word must begin a word of what is found; one letter alone must be a word. Undefined without any word. */
export function wantedOf(graph: string, query: string): Wanted | undefined {
  const words = wordsOf(query);
  if (words.length === 0) return undefined;
  const [longest] = [...words].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  return {
    token: `${graph}:${[...longest!].slice(0, INDEXED_LETTERS).join('')}`,
    parts: words.map((word) => ([...word].length === 1 ? ` ${word} ` : ` ${word}`)),
  };
}

/** A piece of text; `match`: the query found it. */
export interface Piece {
  text: string;
  match: boolean;
}

/** The text in pieces, those marked with which a word of the query agrees. They join to the text. */
export function highlighted(text: string, query: string): Piece[] {
  const original = text.normalize('NFC');
  const words = wordsOf(query);
  const folded = fold(original);
  const pieces: Piece[] = [];
  let done = 0;
  for (const found of folded.text.matchAll(WORDS)) {
    const [word] = found;
    const length = Math.max(0, ...words.filter((wanted) => agrees(word, wanted)).map((each) => each.length));
    if (length === 0) continue;
    const begin = folded.begins[found.index]!;
    const end = folded.ends[found.index + length - 1]!;
    if (begin > done) pieces.push({ text: original.slice(done, begin), match: false });
    pieces.push({ text: original.slice(begin, end), match: true });
    done = end;
  }
  if (done < original.length) pieces.push({ text: original.slice(done), match: false });
  return pieces;
}

function agrees(word: string, wanted: string): boolean {
  return [...wanted].length === 1 ? word === wanted : word.startsWith(wanted);
}

const SNIPPET = 240;
const BEFORE = 60;

/** So much of a long text that its first match is in it, cut between words, with … where something is left out. */
export function snippet(text: string, query: string): Piece[] {
  const original = text.normalize('NFC');
  if (original.length <= SNIPPET) return highlighted(original, query);
  let at = 0;
  for (const piece of highlighted(original, query)) {
    if (piece.match) break;
    at += piece.text.length;
  }
  const wished = at >= original.length ? 0 : Math.max(0, Math.min(at - BEFORE, original.length - SNIPPET));
  const begin = wished === 0 ? 0 : Math.min(at, afterSpace(original, wished));
  const cut = begin + SNIPPET;
  const space = cut >= original.length ? original.length : original.lastIndexOf(' ', cut);
  const end = space > at ? space : Math.min(cut, original.length);
  const middle = original.slice(begin, end);
  return [
    ...(begin > 0 ? [{ text: '… ', match: false }] : []),
    ...highlighted(middle, query),
    ...(end < original.length ? [{ text: ' …', match: false }] : []),
  ];
}

function afterSpace(text: string, from: number): number {
  const space = text.indexOf(' ', from);
  return space < 0 ? from : space + 1;
}
