import { LeaseLine, type Waiting } from './lease-line';

interface Entry extends Waiting {
  name: string;
}

function entry(name: string, details: Partial<Waiting> = {}): Entry {
  return { name, workspaceId: 'a', importId: 'i1', lane: 'a vk', cost: 1, deadlineAt: 1000, ...details };
}

function aLine(limits = { perImport: 3, perWorkspace: 4 }): LeaseLine<Entry> {
  return new LeaseLine<Entry>(limits);
}

function fill(line: LeaseLine<Entry>, ...entries: Entry[]): void {
  for (const known of entries) expect(line.add(known)).toBe(true);
}

function drain(line: LeaseLine<Entry>, now = 0): string[] {
  const names: string[] = [];
  for (let next = line.next(now); next !== undefined; next = line.next(now)) names.push(next.name);
  return names;
}

describe('the line of requests that wait for a slot', () => {
  it('serves one import in the order of arrival', () => {
    const line = aLine();
    fill(line, entry('1'), entry('2'), entry('3'));
    expect(line.size).toBe(3);
    expect(drain(line)).toEqual(['1', '2', '3']);
    expect(line.size).toBe(0);
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

  it('goes round the imports of a workspace', () => {
    const line = aLine();
    fill(line, entry('1'), entry('2'), entry('3', { importId: 'i2' }), entry('4', { importId: 'i2' }));
    expect(drain(line)).toEqual(['1', '3', '2', '4']);
  });

  it('goes round the workspaces however many imports one has', () => {
    const line = aLine({ perImport: 9, perWorkspace: 9 });
    fill(line, entry('a1'), entry('a2', { importId: 'i2' }), entry('a3', { importId: 'i3' }));
    fill(line, entry('b1', { workspaceId: 'b' }), entry('b2', { workspaceId: 'b' }));
    expect(drain(line)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
  });

  it('gives an import that asks for several calls at once no more calls than its neighbour', () => {
    const line = aLine({ perImport: 9, perWorkspace: 99 });
    fill(line, entry('big1', { cost: 3 }), entry('big2', { cost: 3 }));
    fill(line, ...[1, 2, 3, 4, 5, 6].map((n) => entry(`s${n}`, { importId: 'i2' })));
    expect(drain(line)).toEqual(['s1', 's2', 'big1', 's3', 's4', 's5', 'big2', 's6']);
  });

  it('passes over a lane that is closed, until its time', () => {
    const line = aLine();
    fill(line, entry('1'), entry('2', { importId: 'i2', lane: 'a vk wall.get' }));
    line.close('a vk', 50);
    expect(line.closedUntil('a vk')).toBe(50);
    expect(line.next(49)?.name).toBe('2');
    expect(line.next(49)).toBeUndefined();
    expect(line.next(50)?.name).toBe('1');
  });

  it('tries every lane again once slots were freed', () => {
    const line = aLine();
    fill(line, entry('1'));
    line.close('a vk', 50);
    line.openAll();
    expect(line.closedUntil('a vk')).toBeUndefined();
    expect(line.next(0)?.name).toBe('1');
  });

  it('is busy for a lane in which somebody waits or which is closed', () => {
    const line = aLine();
    expect(line.isBusy('a vk', 0)).toBe(false);
    fill(line, entry('1'));
    expect(line.isBusy('a vk', 0)).toBe(true);
    expect(line.isBusy('b vk', 0)).toBe(false);
    line.close('b vk', 10);
    expect(line.isBusy('b vk', 9)).toBe(true);
    expect(line.isBusy('b vk', 10)).toBe(false);
    expect(drain(line)).toEqual(['1']);
    expect(line.isBusy('a vk', 0)).toBe(false);
  });

  it('puts a request back at the head, with the right to go first', () => {
    const line = aLine();
    fill(line, entry('1', { cost: 2 }), entry('2'));
    const first = line.next(0) as Entry;
    expect(first.name).toBe('1');
    line.putBack(first);
    expect(line.size).toBe(2);
    expect(line.isBusy('a vk', 0)).toBe(true);
    expect(drain(line)).toEqual(['1', '2']);
  });

  it('puts a request back into a list that had become empty', () => {
    const line = aLine();
    fill(line, entry('1'));
    line.putBack(line.next(0) as Entry);
    expect(drain(line)).toEqual(['1']);
  });

  it('gives up those whose deadline is over, and nobody else', () => {
    const line = aLine();
    fill(line, entry('1', { deadlineAt: 10 }), entry('2', { deadlineAt: 11 }));
    fill(line, entry('3', { workspaceId: 'b', deadlineAt: 10 }));
    expect(line.expired(9)).toEqual([]);
    expect(line.expired(10).map(({ name }) => name)).toEqual(['1', '3']);
    expect(line.size).toBe(1);
    expect(line.isBusy('a vk', 0)).toBe(true);
    expect(drain(line)).toEqual(['2']);
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
  });
});
