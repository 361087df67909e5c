import { LeaseLine, type Waiting } from './lease-line';

interface Entry extends Waiting {
  name: string;
}

function entry(name: string, details: Partial<Waiting> = {}): Entry {
  return { name, workspaceId: 'a', importId: 'i1', lane: 'a vk', group: 'vk', deadlineAt: 1000, ...details };
}

function aLine(limits = { perImport: 3, perWorkspace: 4 }): LeaseLine<Entry> {
  return new LeaseLine<Entry>(limits);
}

function fill(line: LeaseLine<Entry>, ...entries: Entry[]): void {
  for (const known of entries) expect(line.add(known)).toBe(true);
}

const names = (entries: Entry[]): string[] => entries.map(({ name }) => name);

/** Serves the first one offered, again and again. */
function drain(line: LeaseLine<Entry>, now = 0): string[] {
  const served: string[] = [];
  for (;;) {
    const heads = line.heads(now, 8);
    const [first, ...others] = heads;
    for (const other of others.reverse()) line.putBack(other);
    if (first === undefined) return served;
    line.done(first);
    served.push(first.name);
  }
}

describe('the line of requests that wait for a slot', () => {
  it('offers one import in the order of arrival', () => {
    const line = aLine();
    fill(line, entry('1'), entry('2'), entry('3'));
    expect(line.size).toBe(3);
    expect(drain(line)).toEqual(['1', '2', '3']);
    expect(line.size).toBe(0);
    expect(line.nextEventAt()).toBeUndefined();
  });

  it('is full for one import at its limit, and takes another one then', () => {
    const line = aLine();
    fill(line, entry('1'), entry('2'), entry('3'));
    expect(line.add(entry('4'))).toBe(false);
    expect(line.add(entry('5', { importId: 'i2' }))).toBe(true);
    expect(line.size).toBe(4);
  });

  it('is full for a workspace at its limit, and takes another one then', () => {
    const line = aLine();
    fill(line, entry('1'), entry('2'), entry('3', { importId: 'i2' }), entry('4', { importId: 'i2' }));
    expect(line.add(entry('5', { importId: 'i3' }))).toBe(false);
    expect(line.add(entry('6', { workspaceId: 'b', lane: 'b vk' }))).toBe(true);
    expect(drain(line)).toEqual(['1', '6', '3', '2', '4']);
  });

  it('offers one import of each workspace, then a second one of each, up to the number asked for', () => {
    const line = aLine({ perImport: 9, perWorkspace: 9 });
    fill(line, entry('a1'), entry('a1b'), entry('a2', { importId: 'i2' }), entry('a3', { importId: 'i3' }));
    fill(line, entry('b1', { workspaceId: 'b' }), entry('b2', { workspaceId: 'b', importId: 'i2' }));
    expect(names(line.heads(0, 4))).toEqual(['a1', 'b1', 'a2', 'b2']);
    expect(names(line.heads(0, 4))).toEqual(['a1b', 'a3']);
    expect(line.size).toBe(6);
  });

  it('moves the import and the workspace that were served to the end of the round', () => {
    const line = aLine({ perImport: 9, perWorkspace: 9 });
    fill(line, entry('a1'), entry('a1b'), entry('a2', { importId: 'i2' }));
    fill(line, entry('b1', { workspaceId: 'b' }), entry('b1b', { workspaceId: 'b' }));
    const [first] = line.heads(0, 1) as [Entry];
    expect(first.name).toBe('a1');
    line.done(first);
    expect(names(line.heads(0, 2))).toEqual(['b1', 'a2']);
  });

  it('offers together only what is of one group', () => {
    const line = aLine();
    fill(line, entry('1'), entry('2', { importId: 'i2', group: 'other', lane: 'a other' }));
    const heads = line.heads(0, 8);
    expect(names(heads)).toEqual(['1']);
    line.done(heads[0] as Entry);
    expect(names(line.heads(0, 8))).toEqual(['2']);
  });

  it('passes over a lane that is closed, until its time', () => {
    const line = aLine();
    fill(line, entry('1'), entry('2', { importId: 'i2', lane: 'a vk wall.get' }));
    line.close('a vk', 50);
    expect(line.closedUntil('a vk')).toBe(50);
    expect(names(line.heads(49, 8))).toEqual(['2']);
    expect(line.heads(49, 8)).toEqual([]);
    expect(names(line.heads(50, 8))).toEqual(['1']);
  });

  it('tries every lane again once slots were freed', () => {
    const line = aLine();
    fill(line, entry('1'));
    line.close('a vk', 50);
    line.openAll();
    expect(line.closedUntil('a vk')).toBeUndefined();
    expect(names(line.heads(0, 8))).toEqual(['1']);
  });

  it('is busy for a lane in which somebody waits or is being dealt to, or which is closed', () => {
    const line = aLine();
    expect(line.isBusy('a vk', 0)).toBe(false);
    fill(line, entry('1'));
    expect(line.isBusy('a vk', 0)).toBe(true);
    expect(line.isBusy('b vk', 0)).toBe(false);
    line.close('b vk', 10);
    expect(line.isBusy('b vk', 9)).toBe(true);
    expect(line.isBusy('b vk', 10)).toBe(false);
    const [head] = line.heads(0, 8) as [Entry];
    expect(line.isBusy('a vk', 0)).toBe(true);
    line.done(head);
    expect(line.isBusy('a vk', 0)).toBe(false);
  });

  it('puts a request back at the head of its list', () => {
    const line = aLine();
    fill(line, entry('1'), entry('2'));
    const [first] = line.heads(0, 8) as [Entry];
    line.putBack(first);
    expect(line.size).toBe(2);
    expect(drain(line)).toEqual(['1', '2']);
  });

  it('puts those back in the order of their arrival that come back in any order', () => {
    const line = aLine({ perImport: 9, perWorkspace: 9 });
    fill(line, entry('1'), entry('2'), entry('3'), entry('4'), entry('5'));
    const taken = [1, 2, 3, 4].flatMap(() => line.heads(0, 1));
    expect(names(taken)).toEqual(['1', '2', '3', '4']);
    for (const at of [2, 0, 3, 1]) line.putBack(taken[at] as Entry);
    expect(drain(line)).toEqual(['1', '2', '3', '4', '5']);
  });

  it('knows whether others of the same import wait behind one that is being offered', () => {
    const line = aLine();
    fill(line, entry('1'), entry('2'), entry('3', { importId: 'i2' }));
    const [first, other] = line.heads(0, 8) as [Entry, Entry];
    expect([line.hasMore(first), line.hasMore(other)]).toEqual([true, false]);
    const [second] = line.heads(0, 8) as [Entry];
    expect([second.name, line.hasMore(second), line.hasMore(first)]).toEqual(['2', false, false]);
  });

  it('keeps the list of an import whose only request is being dealt to', () => {
    const line = aLine();
    fill(line, entry('1', { deadlineAt: 5 }));
    const [first] = line.heads(0, 8) as [Entry];
    fill(line, entry('2', { deadlineAt: 7 }));
    line.putBack(first);
    expect(line.nextEventAt()).toBe(0);
    expect(names(line.expired(5))).toEqual(['1']);
    expect(drain(line)).toEqual(['2']);
  });

  it('lets go of what was offered even when the line was emptied meanwhile', () => {
    const line = aLine();
    fill(line, entry('1'), entry('2'));
    const [first] = line.heads(0, 8) as [Entry];
    expect(names(line.expired(Infinity))).toEqual(['2']);
    line.done(first);
    expect(line.size).toBe(0);
    expect(line.heads(0, 8)).toEqual([]);
  });

  it('drops nobody while the time is not known', () => {
    const line = aLine();
    fill(line, entry('1', { deadlineAt: 10 }));
    expect(line.expired(NaN)).toEqual([]);
    expect(names(line.expired(10))).toEqual(['1']);
  });

  it('gives up those whose deadline is over, and nobody else', () => {
    const line = aLine();
    fill(line, entry('1', { deadlineAt: 10 }), entry('2', { deadlineAt: 11 }));
    fill(line, entry('3', { workspaceId: 'b', deadlineAt: 10 }));
    expect(line.expired(9)).toEqual([]);
    expect(names(line.expired(10))).toEqual(['1', '3']);
    expect(line.size).toBe(1);
    expect(line.isBusy('a vk', 0)).toBe(true);
    expect(names(line.expired(11))).toEqual(['2']);
    expect(line.size).toBe(0);
  });

  it('says when something is to be done: a lane opens or a deadline ends', () => {
    const line = aLine();
    expect(line.nextEventAt()).toBeUndefined();
    fill(line, entry('1', { deadlineAt: 90 }), entry('2', { deadlineAt: 70, lane: 'other' }));
    line.close('a vk', 80);
    line.close('other', 95);
    expect(line.nextEventAt()).toBe(70);
    line.close('a vk', 60);
    expect(line.nextEventAt()).toBe(60);
    line.openAll();
    expect(line.nextEventAt()).toBe(0);
    line.close('a vk', 200);
    line.close('other', 200);
    expect(names(line.expired(70))).toEqual(['2']);
    expect(line.nextEventAt()).toBe(90);
  });

  it('forgets lanes that nobody waits in when they become many', () => {
    const line = aLine();
    for (let lane = 0; lane < 1001; lane += 1) line.close(`lane ${lane}`, 10);
    fill(line, entry('1'));
    line.done((line.heads(0, 1) as [Entry])[0]);
    expect(line.closedUntil('lane 0')).toBeUndefined();
    for (let lane = 0; lane < 1000; lane += 1) line.close(`lane ${lane}`, 10);
    fill(line, entry('2'));
    line.done((line.heads(0, 1) as [Entry])[0]);
    expect(line.closedUntil('lane 0')).toBe(10);
  });
});
