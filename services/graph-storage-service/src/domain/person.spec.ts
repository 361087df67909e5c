import { aDocument, aList, ref, stamp } from '../../test/builders';
import { confirmedPerson, decide, sameContent, unknownPerson, type Person, type Seen } from './person';

const NOW = 1000;
const list = (...lists: Seen['lists']): Seen => ({ lists, documents: [] });
const stored = (seen: Seen): Person => decide(unknownPerson(ref('1')), {}, seen, 500).person;

describe('decide', () => {
  it('makes version 1 of a person seen for the first time', () => {
    const { person, mustWrite, mustPublish, fates } = decide(
      unknownPerson(ref('1')),
      {},
      { lists: [aList(1, ['2'])], documents: [aDocument(1, 'Vera')] },
      NOW,
    );
    expect({ mustWrite, mustPublish }).toEqual({ mustWrite: true, mustPublish: true });
    expect(person).toMatchObject({ version: 1, changedAt: NOW, ref: ref('1') });
    expect(person.document?.content).toEqual({
      state: 'active',
      profile: { firstName: 'Vera', lastName: 'X' },
    });
    expect(person.list.base?.ids).toEqual(['2']);
    expect(fates).toEqual([
      { kind: 'person', fate: 'applied' },
      { kind: 'list', fate: 'applied' },
    ]);
  });

  it('neither writes nor publishes when a newer look shows the same', () => {
    const before = stored({ lists: [aList(1, ['2'])], documents: [aDocument(1, 'Vera')] });
    const decision = decide(before, {}, { lists: [aList(2, ['2'])], documents: [aDocument(2, 'Vera')] }, NOW);
    expect(decision).toMatchObject({ mustWrite: false, mustPublish: false });
    expect(decision.person).toMatchObject({ version: 1, changedAt: 500 });
    expect(decision.fates.map(({ fate }) => fate)).toEqual(['unchanged', 'unchanged']);
    expect(decision.person.list.base?.stamp).toEqual(stamp(2));
    expect(decision.person.document?.stamp).toEqual(stamp(2));
  });

  it('publishes again what is stored when the very observation returns: the process may have died in between', () => {
    const before = stored({ lists: [aList(1, ['2'])], documents: [aDocument(3, 'Vera')] });
    expect(decide(before, {}, list(aList(1, ['2'])), NOW)).toMatchObject({
      mustWrite: false,
      mustPublish: true,
    });
    const document: Seen = { lists: [], documents: [aDocument(3, 'Vera')] };
    expect(decide(before, {}, document, NOW)).toMatchObject({ mustWrite: false, mustPublish: true });
    const behind = decide(before, {}, list(aList(1, ['2']), aList(2, ['2'])), NOW);
    expect(behind).toMatchObject({ mustWrite: false, mustPublish: true });
  });

  it('publishes again after a partial list that is stored', () => {
    const before = stored(list(aList(1, ['2']), aList(2, ['3'], 'partial')));
    expect(decide(before, {}, list(aList(2, ['3'], 'partial')), NOW)).toMatchObject({
      mustWrite: false,
      mustPublish: true,
    });
  });

  it('publishes nothing for a person of whom nothing is stored', () => {
    const decision = decide(unknownPerson(ref('1')), {}, list(aList(1, [], 'nothing')), NOW);
    expect(decision).toMatchObject({ mustWrite: false, mustPublish: false });
    expect(decision.person.version).toBe(0);
  });

  it('drops what is older than a confirmation that was never written', () => {
    const before = stored(list(aList(1, ['2'])));
    const late = decide(before, { list: stamp(5) }, list(aList(3, ['9'])), NOW);
    expect(late).toMatchObject({ mustWrite: false, fates: [{ kind: 'list', fate: 'late' }] });
    const named = stored({ lists: [], documents: [aDocument(1, 'Vera')] });
    const old = decide(named, { document: stamp(5) }, { lists: [], documents: [aDocument(3, 'Anna')] }, NOW);
    expect(old).toMatchObject({ mustWrite: false, fates: [{ kind: 'person', fate: 'late' }] });
  });

  it('takes the newest of several looks, in whatever order they come', () => {
    const documents = [aDocument(2, 'Second'), aDocument(3, 'Third'), aDocument(1, 'First')];
    for (const order of [documents, [...documents].reverse()]) {
      const { person } = decide(unknownPerson(ref('1')), {}, { lists: [], documents: order }, NOW);
      expect(person.document).toMatchObject({
        stamp: stamp(3),
        content: { profile: { firstName: 'Third' } },
      });
    }
  });

  it('raises the version by one for a batch, however much it holds', () => {
    const before = stored(list(aList(1, ['2'])));
    expect(decide(before, {}, list(aList(2, ['3']), aList(3, ['4'])), NOW).person.version).toBe(2);
  });
});

describe('confirmedPerson', () => {
  it('raises stamps and never lowers them', () => {
    const person = stored({ lists: [aList(4, ['2'])], documents: [aDocument(4, 'Vera')] });
    const raised = confirmedPerson(person, { list: stamp(5), document: stamp(6) });
    expect([raised.list.base?.stamp, raised.document?.stamp]).toEqual([stamp(5), stamp(6)]);
    const kept = confirmedPerson(person, { list: stamp(3), document: stamp(3) });
    expect([kept.list.base?.stamp, kept.document?.stamp]).toEqual([stamp(4), stamp(4)]);
    expect(confirmedPerson(unknownPerson(ref('1')), { list: stamp(5) }).list.base).toBeUndefined();
  });
});

describe('sameContent', () => {
  it.each([
    [{ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }, true],
    [{ a: 1 }, { a: 2 }, false],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1, b: 2 }, { a: 1 }, false],
    [[1], { 0: 1 }, false],
    [[1, 2], [2, 1], false],
    [undefined, undefined, true],
    [undefined, {}, false],
    [null, {}, false],
    [{}, null, false],
    ['a', 'a', true],
    [1, '1', false],
  ])('%j and %j: %s', (a, b, same) => {
    expect(sameContent(a, b)).toBe(same);
  });
});
