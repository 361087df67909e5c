import { mostUnstored, type Place, SendRoom } from './send-room';

const never = new Promise<never>(() => undefined);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('how many calls may be sent and not stored', () => {
  it('follows the rate of the keys, and is six at least', () => {
    expect([0, 3, 30, 31, 60, 300].map(mostUnstored)).toEqual([6, 6, 6, 7, 12, 60]);
  });
});

describe('the room for calls that are sent and not stored', () => {
  it('gives no more places than that, and one for each that is left', () => {
    const room = new SendRoom();
    const places = [1, 2].map(() => room.take('a', 2));
    expect(places.every((place) => place !== undefined)).toBe(true);
    expect([room.isFull('a', 2), room.take('a', 2), room.isFull('a', 3)]).toEqual([true, undefined, false]);
    places[0]?.leave();
    expect([room.isFull('a', 2), room.take('a', 2) !== undefined, room.isFull('a', 2)]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('counts a place that is left twice once', () => {
    const room = new SendRoom();
    const first = room.take('a', 2);
    room.take('a', 2);
    first?.leave();
    first?.leave();
    room.take('a', 2);
    expect(room.isFull('a', 2)).toBe(true);
  });

  it('gives a lane that has none a place whatever the others have', () => {
    const room = new SendRoom();
    room.take('a', 1);
    expect([room.isFull('a', 1), room.isFull('b', 1)]).toEqual([true, false]);
    expect(room.take('b', 1)).toBeDefined();
    expect(room.take('b', 1)).toBeUndefined();
  });

  it('gives whoever waits the place that is left, in the order of coming', async () => {
    const room = new SendRoom();
    const first = room.take('a', 1);
    const given: string[] = [];
    const one = room.wait('a', 1, never).then((place) => (given.push('one'), place));
    void room.wait('a', 1, never).then(() => given.push('two'));
    await turn();
    expect(given).toEqual([]);
    first?.leave();
    await turn();
    expect(given).toEqual(['one']);
    expect(room.isFull('a', 1)).toBe(true);
    (await one)?.leave();
    await turn();
    expect(given).toEqual(['one', 'two']);
  });

  it('serves the lane that has fewest places first', async () => {
    const room = new SendRoom();
    const places = [room.take('a', 3), room.take('a', 3), room.take('b', 3)];
    const given: string[] = [];
    const of = (lane: string) => room.wait(lane, 3, never).then(() => given.push(lane));
    void of('a');
    void of('b');
    places[0]?.leave();
    await turn();
    expect(given).toEqual(['a']);
    void of('a');
    places[1]?.leave();
    await turn();
    // Each has one: whoever was known first.
    expect(given).toHaveLength(2);
    expect(room.isFull('a', 3)).toBe(true);
  });

  it('prefers the lane with fewer places to one that waits for longer', async () => {
    const room = new SendRoom();
    const [mine] = [room.take('a', 4), room.take('a', 4), room.take('a', 4), room.take('b', 4)];
    const given: string[] = [];
    void room.wait('a', 4, never).then(() => given.push('a'));
    void room.wait('b', 4, never).then(() => given.push('b'));
    mine?.leave();
    await turn();
    expect(given).toEqual(['b']);
  });

  it('lets nobody wait for longer than wanted, and gives the place to the next one', async () => {
    const room = new SendRoom();
    const first = room.take('a', 1);
    expect(await room.wait('a', 1, Promise.resolve())).toBeUndefined();
    const next = room.wait('a', 1, never);
    first?.leave();
    expect(await next).toBeDefined();
  });

  it('does not lose a place that is given in the moment in which the wait ends', async () => {
    const room = new SendRoom();
    const first = room.take('a', 1);
    let end!: () => void;
    const waiting = room.wait('a', 1, new Promise<void>((resolve) => (end = resolve)));
    end();
    first?.leave();
    const place: Place | undefined = await waiting;
    place?.leave();
    expect(room.isFull('a', 1)).toBe(false);
  });

  it('has a place at once where there is room', async () => {
    expect(await new SendRoom().wait('a', 1, never)).toBeDefined();
  });
});
