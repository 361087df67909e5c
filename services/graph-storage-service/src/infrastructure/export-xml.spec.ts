import { gexf, graphml, xmlText, type XmlGraph, type XmlPerson } from './export-xml';

describe('text in XML', () => {
  it.each([
    ['a&b<c>d"e\'f', 'a&amp;b&lt;c&gt;d&quot;e&apos;f'],
    ['\t\n\r', '&#9;&#10;&#13;'],
    ['\u0000\u0008\u000b\u000c\u000e\u001f', '\ufffd'.repeat(6)],
    ['\ufffd\ufffe\uffff', '\ufffd'.repeat(3)],
    ['\ud83e\udd94 \ud83e \udd94', '\ud83e\udd94 \ufffd \ufffd'],
    ['\u007f\u0085\u2028', '\u007f\u0085\u2028'],
  ])('%j becomes %j', (text, escaped) => {
    expect(xmlText(text)).toBe(escaped);
  });
});

describe('a graph in XML', () => {
  const nobody: XmlPerson = {
    id: '2',
    state: null,
    firstName: null,
    lastName: null,
    screenName: null,
    sex: null,
    birthDate: null,
    city: null,
    country: null,
    closed: null,
    observedAt: null,
  };
  const graph = (): XmlGraph => ({
    name: 'vk-1',
    madeAt: '2026-11-21T10:00:00.000Z',
    counts: { people: 2, friendships: 1 },
    people: pages([[{ ...nobody, id: '1', firstName: 'Vera', closed: false }], [], [nobody]]),
    friendships: pages([[{ low: '1', high: '2', since: '2026-11-20T10:00:00.000Z', disputed: true }]]),
  });

  it('is GEXF 1.3, people before friendships', async () => {
    const text = await all(gexf(graph()));
    expect(text).toContain('<gexf xmlns="http://gexf.net/1.3"');
    expect(text).toContain('<graph mode="static" defaultedgetype="undirected" idtype="string">');
    expect(text).toContain(
      '<nodes count="2">\n' +
        '<node id="1" label="Vera"><attvalues><attvalue for="firstName" value="Vera"/><attvalue for="closed" value="false"/></attvalues></node>\n' +
        '<node id="2" label="2"></node>\n</nodes>\n<edges count="1">\n' +
        '<edge id="0" source="1" target="2"><attvalues><attvalue for="since" value="2026-11-20T10:00:00.000Z"/><attvalue for="disputed" value="true"/></attvalues></edge>\n' +
        '</edges>\n</graph>\n</gexf>\n',
    );
  });

  it('is GraphML', async () => {
    const text = await all(graphml(graph()));
    expect(text).toContain('<key id="closed" for="node" attr.name="closed" attr.type="boolean"/>');
    expect(text).toContain(
      '<graph id="graph" edgedefault="undirected">\n' +
        '<node id="1"><data key="label">Vera</data><data key="firstName">Vera</data><data key="closed">false</data></node>\n' +
        '<node id="2"><data key="label">2</data></node>\n' +
        '<edge source="1" target="2"><data key="since">2026-11-20T10:00:00.000Z</data><data key="disputed">true</data></edge>\n' +
        '</graph>\n</graphml>\n',
    );
  });
});

async function* pages<T>(all: T[][]): AsyncIterable<T[]> {
  yield* all;
}

async function all(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}
