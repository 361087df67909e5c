/** A person of the file; null where nothing is known. */
export interface XmlPerson {
  id: string;
  state: string | null;
  firstName: string | null;
  lastName: string | null;
  screenName: string | null;
  sex: string | null;
  birthDate: string | null;
  city: string | null;
  country: string | null;
  closed: boolean | null;
  observedAt: string | null;
}

export interface XmlFriendship {
  low: string;
  high: string;
  since: string;
  disputed: boolean;
}

/** A graph to write: pages of it, and what stands at its top. */
export interface XmlGraph {
  name: string;
  /** ISO 8601. */
  madeAt: string;
  counts: { people: number; friendships: number };
  people: AsyncIterable<readonly XmlPerson[]>;
  friendships: AsyncIterable<readonly XmlFriendship[]>;
}

const PERSON_ATTRIBUTES = [
  ['state', 'string'],
  ['firstName', 'string'],
  ['lastName', 'string'],
  ['screenName', 'string'],
  ['sex', 'string'],
  ['birthDate', 'string'],
  ['city', 'string'],
  ['country', 'string'],
  ['closed', 'boolean'],
  ['observedAt', 'string'],
] as const satisfies readonly (readonly [keyof XmlPerson, string])[];

const FRIENDSHIP_ATTRIBUTES = [
  ['since', 'string'],
  ['disputed', 'boolean'],
] as const satisfies readonly (readonly [keyof XmlFriendship, string])[];

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** GEXF 1.3 as https://gexf.net/schema.html has it: nodes before edges, undirected, ids are text. */
export async function* gexf(graph: XmlGraph): AsyncIterable<string> {
  const { counts } = graph;
  yield `${HEAD}<gexf xmlns="http://gexf.net/1.3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://gexf.net/1.3 http://gexf.net/1.3/gexf.xsd" version="1.3">
<meta lastmodifieddate="${graph.madeAt.slice(0, 10)}"><creator>Sociograph</creator><description>${xmlText(graph.name)}</description></meta>
<graph mode="static" defaultedgetype="undirected" idtype="string">
${gexfAttributes('node', PERSON_ATTRIBUTES)}${gexfAttributes('edge', FRIENDSHIP_ATTRIBUTES)}<nodes count="${counts.people}">
`;
  for await (const page of graph.people) yield page.map(gexfNode).join('');
  yield `</nodes>\n<edges count="${counts.friendships}">\n`;
  let edge = 0;
  for await (const page of graph.friendships) yield page.map((one) => gexfEdge(one, edge++)).join('');
  yield '</edges>\n</graph>\n</gexf>\n';
}

/** GraphML as http://graphml.graphdrawing.org/primer/graphml-primer.html has it: nodes first, undirected. */
export async function* graphml(graph: XmlGraph): AsyncIterable<string> {
  yield `${HEAD}<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
<desc>${xmlText(graph.name)}</desc>
${graphmlKeys('node', [['label', 'string'], ...PERSON_ATTRIBUTES])}${graphmlKeys('edge', FRIENDSHIP_ATTRIBUTES)}<graph id="graph" edgedefault="undirected">
`;
  for await (const page of graph.people) yield page.map(graphmlNode).join('');
  for await (const page of graph.friendships) yield page.map(graphmlEdge).join('');
  yield '</graph>\n</graphml>\n';
}

function gexfAttributes(of: string, attributes: readonly (readonly [string, string])[]): string {
  const lines = attributes.map(
    ([name, type]) => `<attribute id="${name}" title="${name}" type="${type}"/>\n`,
  );
  return `<attributes class="${of}" mode="static">\n${lines.join('')}</attributes>\n`;
}

function gexfNode(person: XmlPerson): string {
  const values = gexfValues(person, PERSON_ATTRIBUTES);
  return `<node id="${xmlText(person.id)}" label="${xmlText(labelOf(person))}">${values}</node>\n`;
}

function gexfEdge(friendship: XmlFriendship, edge: number): string {
  const { low, high } = friendship;
  const values = gexfValues(friendship, FRIENDSHIP_ATTRIBUTES);
  return `<edge id="${edge}" source="${xmlText(low)}" target="${xmlText(high)}">${values}</edge>\n`;
}

function gexfValues<T extends object>(
  of: T,
  attributes: readonly (readonly [keyof T & string, string])[],
): string {
  const values = attributes.flatMap(([name]) => {
    const value = of[name];
    return value === null ? [] : [`<attvalue for="${name}" value="${xmlText(String(value))}"/>`];
  });
  return values.length === 0 ? '' : `<attvalues>${values.join('')}</attvalues>`;
}

/** Attributes of people and of friendships have different names, so the name is id enough. */
function graphmlKeys(of: string, attributes: readonly (readonly [string, string])[]): string {
  return attributes
    .map(([name, type]) => `<key id="${name}" for="${of}" attr.name="${name}" attr.type="${type}"/>\n`)
    .join('');
}

function graphmlNode(person: XmlPerson): string {
  const label = `<data key="label">${xmlText(labelOf(person))}</data>`;
  return `<node id="${xmlText(person.id)}">${label}${graphmlValues(person, PERSON_ATTRIBUTES)}</node>\n`;
}

function graphmlEdge(friendship: XmlFriendship): string {
  const { low, high } = friendship;
  const values = graphmlValues(friendship, FRIENDSHIP_ATTRIBUTES);
  return `<edge source="${xmlText(low)}" target="${xmlText(high)}">${values}</edge>\n`;
}

function graphmlValues<T extends object>(
  of: T,
  attributes: readonly (readonly [keyof T & string, string])[],
): string {
  return attributes
    .flatMap(([name]) => {
      const value = of[name];
      return value === null ? [] : [`<data key="${name}">${xmlText(String(value))}</data>`];
    })
    .join('');
}

function labelOf({ id, firstName, lastName }: XmlPerson): string {
  const name = [firstName, lastName].filter((part) => part !== null && part !== '').join(' ');
  return name === '' ? id : name;
}

const SPECIAL = /[&<>"'\t\n\r]/g;
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // Read back as they are, also from attributes, where a parser makes them spaces otherwise.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};
/** What XML 1.0 cannot hold in any form (section 2.2): controls, halves of surrogate pairs, U+FFFE and U+FFFF. */
// eslint-disable-next-line no-control-regex
const IMPOSSIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

/** Text for an attribute or between tags; what XML cannot hold becomes U+FFFD. */
export function xmlText(text: string): string {
  return text.replace(IMPOSSIBLE, '\ufffd').replace(SPECIAL, (sign) => ENTITIES[sign] ?? sign);
}
