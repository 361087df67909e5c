import { highlighted, searchable, snippet, tokensOf, wantedOf, wordsOf } from './search-text';

describe('words of a text', () => {
  it.each([
    ['Артём ЁЛКИН', ['артем', 'елкин']],
    ['André Łukasz-Weiß', ['andre', 'lukasz', 'weiss']],
    ['Андрей Йод', ['андрей', 'йод']],
    ['Андрей Ёж'.normalize('NFD'), ['андрей', 'еж']],
    ['İstanbul ﬁnd Ⅷ', ['istanbul', 'find', 'viii']],
    ['vera_orlova.1 Vera', ['vera', 'orlova', '1']],
    ['李 小龙', ['李', '小龙']],
    ['!? — 🙂', []],
  ])('folds %s', (text, words) => expect(wordsOf(text)).toEqual(words));

  it('are found by their beginnings of two to eight letters, one letter by itself, in one graph', () => {
    expect(tokensOf('demo.vk', ['я', 'ив', 'вер', 'александра'])).toEqual([
      'demo.vk:я',
      'demo.vk:ив',
      'demo.vk:ве',
      'demo.vk:вер',
      ...['ал', 'але', 'алек', 'алекс', 'алекса', 'алексан', 'александ'].map((word) => `demo.vk:${word}`),
    ]);
    expect(tokensOf('demo.vk', ['вер', 'вера'])).toHaveLength(3);
  });

  it('stand in the searchable text with spaces around them', () => {
    expect(searchable(['vera', 'orlova'])).toBe(' vera orlova ');
    expect(searchable([])).toBe(' ');
  });
});

describe('what is wanted', () => {
  it('asks the index for the longest word, and the text for every word', () => {
    expect(wantedOf('demo.vk', ' Вер АЛЕКСАНДРОВ я')).toEqual({
      token: 'demo.vk:александ',
      parts: [' вер', ' александров', ' я '],
    });
    expect(wantedOf('demo.vk', 'ab aa')?.token).toBe('demo.vk:aa');
  });

  it.each(['', ' ', '-', '%_"\''])('is nothing without a word: %p', (query) =>
    expect(wantedOf('demo.vk', query)).toBeUndefined(),
  );
});

describe('a highlighted text', () => {
  const marked = (text: string, query: string): string =>
    highlighted(text, query)
      .map(({ text: piece, match }) => (match ? `[${piece}]` : piece))
      .join('');

  it.each([
    ['Артём Ёлкин', 'арт елк', '[Арт]ём [Ёлк]ин'],
    ['Ёж', 'еж', '[Ёж]'],
    ['Weiß', 'weiss', '[Weiß]'],
    ['Weiß', 'weis', '[Weiß]'],
    ['André', 'andre', '[André]'],
    ['Vera Veronika', 'ver vera', '[Vera] [Ver]onika'],
    ['Yana Y', 'y', 'Yana [Y]'],
    ['Vera', 'era', 'Vera'],
    ['e\u0301te\u0301 q\u0301x', 'ete qx', '[\u00e9t\u00e9] [q\u0301x]'],
    ['', 'x', ''],
  ])('%s, %s', (text, query, expected) => expect(marked(text, query)).toBe(expected));
});

describe('a snippet', () => {
  const textOf = (text: string, query: string): string =>
    snippet(text, query)
      .map(({ text: piece }) => piece)
      .join('');

  it('is the whole text up to 240 characters', () => {
    expect(snippet('a'.repeat(240), 'b')).toEqual([{ text: 'a'.repeat(240), match: false }]);
  });

  it('holds the first match of a long text, cut between words', () => {
    const words = Array.from({ length: 200 }, (_, i) => `word${i}`);
    const text = textOf(words.join(' '), 'word150');
    expect(text.startsWith('… word143 ')).toBe(true);
    expect(text.endsWith(' …')).toBe(true);
    expect(text.length).toBeLessThanOrEqual(244);
    expect(snippet(words.join(' '), 'word150')).toContainEqual({ text: 'word150', match: true });
    expect(textOf(words.join(' '), 'word0').startsWith('word0 word1 ')).toBe(true);
    expect(textOf(words.join(' '), 'word199').endsWith('word199')).toBe(true);
  });

  it('begins at the beginning where nothing is found, and cuts a word without spaces', () => {
    expect(textOf('x'.repeat(300), 'y')).toBe(`${'x'.repeat(240)} …`);
  });
});
