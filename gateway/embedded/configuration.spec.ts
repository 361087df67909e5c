import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { configurationOf } from './configuration';
import { ConfigurationFault } from './field-rules';

type Node = Record<string, unknown> | unknown[];
type Step = string | number;

const pem = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString();

/** Every key below a value, as the steps that lead to it. */
function keysOf(value: unknown, before: readonly Step[] = []): Step[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const step = Array.isArray(value) ? Number(name) : name;
    return [[...before, step], ...keysOf(inner, [...before, step])];
  });
}
const shapeOf = (steps: readonly Step[]): string =>
  steps.map((step) => (typeof step === 'number' ? '[]' : step)).join('.');
const placeOf = (steps: readonly Step[]): string =>
  steps.reduce<string>(
    (place, step) => place + (typeof step === 'number' ? `[${step}]` : `.${step}`),
    'configuration',
  );

/** kong.yml with only as many routes and plugins as it takes to have every kind of key that it has. */
function smallest(): Record<string, unknown> {
  const document = parse(readFileSync(join(__dirname, '../kong.yml'), 'utf8')) as {
    consumers: object[];
    services: { host: string; routes: object[] }[];
    upstreams: { name: string }[];
  };
  document.consumers = [
    { ...document.consumers[0], jwt_secrets: [{ key: 'k', algorithm: 'RS256', rsa_public_key: pem }] },
  ];
  const shapes = new Set<string>();
  const addsSome = (value: object, kind: string): boolean => {
    const plugins =
      'plugins' in value ? (value.plugins as { name: string }[]).map(({ name }) => name).join() : '';
    const fresh = [...keysOf(value).map((steps) => `${kind} ${shapeOf(steps)}`), `${kind} ${plugins}`];
    const some = fresh.some((shape) => !shapes.has(shape));
    fresh.forEach((shape) => shapes.add(shape));
    return some;
  };
  const services = document.services
    .map((service) => ({ ...service, routes: service.routes.filter((route) => addsSome(route, 'route')) }))
    .filter(({ routes }) => routes.length > 0);
  const upstreams = document.upstreams.filter(({ name }) => services.some(({ host }) => host === name));
  return { ...document, services, upstreams };
}

/** The document with one value made by `change` of what is there. */
function changed(
  document: object,
  steps: readonly Step[],
  change: (holder: Node, last: Step) => void,
): unknown {
  const copy = structuredClone(document) as Node;
  let holder = copy;
  for (const step of steps.slice(0, -1)) holder = (holder as Record<Step, Node>)[step] as Node;
  change(holder, steps.at(-1) as Step);
  return copy;
}

const valueAt = (document: object, steps: readonly Step[]): unknown =>
  steps.reduce<unknown>((value, step) => (value as Record<Step, unknown>)[step], document);

/** Values of every other type, and numbers that no field takes. */
function others(value: unknown): unknown[] {
  const all = ['text', 7, true, {}, []];
  const kind = (each: unknown): string => (Array.isArray(each) ? 'list' : typeof each);
  const wrong = all.filter((each) => kind(each) !== kind(value));
  return typeof value === 'number' ? [...wrong, -1, 1.5, 1e12, String(value)] : wrong;
}

function refusal(source: unknown): string {
  try {
    configurationOf(source);
    return 'taken';
  } catch (error) {
    if (!(error instanceof ConfigurationFault)) throw error;
    return error.message;
  }
}

describe('every key of kong.yml', () => {
  const document = smallest();
  const keys = keysOf(document);

  it('is there to be changed', () => {
    expect(refusal(document)).toBe('taken');
    expect(keys.length).toBeGreaterThan(200);
  });

  it('is refused under another name, by a sentence that says where', () => {
    const wrong: string[] = [];
    for (const steps of keys.filter((each) => typeof each.at(-1) === 'string')) {
      const name = steps.at(-1) as string;
      const source = changed(document, steps, (holder) => {
        const fields = holder as Record<string, unknown>;
        fields[`${name}x`] = fields[name];
        delete fields[name];
      });
      const sentence = `${placeOf(steps.slice(0, -1))} has the unknown field "${name}x".`;
      if (refusal(source) !== sentence) wrong.push(`${placeOf(steps)}: ${refusal(source)}`);
    }
    expect(wrong).toEqual([]);
  });

  it('is refused with a value of another type or range, by a sentence that says where', () => {
    const wrong: string[] = [];
    for (const steps of keys)
      for (const other of others(valueAt(document, steps))) {
        const source = changed(document, steps, (holder, last) => {
          (holder as Record<Step, unknown>)[last] = other;
        });
        const said = refusal(source);
        // Of what must be one exact text the whole is named.
        const places = [placeOf(steps), `${placeOf(steps.slice(0, -1))} must hold exactly`];
        if (!places.some((place) => said.startsWith(place)))
          wrong.push(`${placeOf(steps)} = ${JSON.stringify(other)}: ${said}`);
      }
    expect(wrong).toEqual([]);
  });

  it.each(['configuration.services[0].name', 'configuration.upstreams[0].name'])(
    '%s is a name as Kong takes it',
    (place) => {
      const steps = place.includes('services') ? ['services', 0, 'name'] : ['upstreams', 0, 'name'];
      for (const name of ['a b', 'a/b', 'имя', ''])
        expect(
          refusal(
            changed(document, steps, (holder, last) => ((holder as Record<Step, unknown>)[last] = name)),
          ),
        ).toContain(place);
    },
  );
});
