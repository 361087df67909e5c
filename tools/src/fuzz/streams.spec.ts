import { join } from 'node:path';
import { ROOT } from '../repository';
import { mergeDocuments, readDocuments } from './document';
import { faultOf, streamsOf } from './streams';

describe('the streams of the documents', () => {
  const streams = streamsOf(mergeDocuments(readDocuments(join(ROOT, 'services'))));
  const validatorsOf = (name: string) => {
    const found = streams.find((stream) => stream.name === name)?.validators;
    if (found === undefined) throw new Error(`${name} says nothing of its events`);
    return found;
  };
  const events = validatorsOf('GET /v1/imports/{id}/events');
  const progress = {
    id: '0199a1c2-7b1c-7000-8000-000000000001',
    state: 'running',
    at: '2026-11-22T07:00:00.000Z',
    counters: {
      people: { known: 2, done: 1, gaps: 0, open: 1 },
      lists: { known: 2, done: 1, gaps: 0, open: 1 },
      calls: { made: 1 },
      friendshipObservations: 3,
    },
    frontierClosed: false,
  };
  const said = (event: string, data: unknown) => faultOf(events, { event, data: JSON.stringify(data) });

  it('say each what their events are', () => {
    expect(streams.map(({ name }) => name).sort()).toEqual(['GET /v1/events', 'GET /v1/imports/{id}/events']);
    expect([...events.keys()]).toEqual(['state', 'progress', 'end']);
    expect([...validatorsOf('GET /v1/events').keys()]).toContain('end');
    expect(validatorsOf('GET /v1/events').size).toBeGreaterThan(3);
  });

  it('take what fits and name what does not', () => {
    expect(said('progress', progress)).toBeUndefined();
    expect(said('end', { reason: 'import-ended' })).toBeUndefined();
    expect(said('end', { reason: 'nothing' })).toBe(
      'an event end: /reason must be equal to one of the allowed values',
    );
    expect(said('state', { ...progress, counters: {} })).toMatch(/^an event state: \/counters must have/);
    expect(said('surprise', {})).toBe('an event surprise, which the document does not know');
    expect(faultOf(events, { event: 'end', data: '{' })).toBe('an event end whose data are no JSON');
  });
});
