import { PartitionTurn } from './partition-turn';

describe('PartitionTurn', () => {
  let closing: AbortController;
  let beats: number;
  let failure: unknown;
  let turn: PartitionTurn;
  const beat = async (): Promise<void> => {
    beats += 1;
    if (failure !== undefined) throw failure;
  };

  beforeEach(() => {
    jest.useFakeTimers();
    closing = new AbortController();
    beats = 0;
    failure = undefined;
    turn = new PartitionTurn(beat, 1_000, closing.signal);
  });
  afterEach(() => {
    turn.end();
    jest.useRealTimers();
  });

  const refusal = (type: string): Error => Object.assign(new Error(type), { type });

  it('beats at its interval until it ends', async () => {
    await jest.advanceTimersByTimeAsync(999);
    expect(beats).toBe(0);
    await jest.advanceTimersByTimeAsync(2_001);
    expect(beats).toBe(3);
    turn.end();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(beats).toBe(3);
  });

  it.each(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'NOT_COORDINATOR_FOR_GROUP'])(
    'is over when the coordinator answers %s, and says so to whoever beats',
    async (type) => {
      failure = refusal(type);
      await expect(turn.heartbeat()).rejects.toBe(failure);
      expect(turn.signal.aborted).toBe(true);
      expect(turn.lost).toBe(failure);
    },
  );

  it('goes on after a beat that failed for another reason', async () => {
    failure = new Error('socket hang up');
    await turn.heartbeat();
    expect(turn.signal.aborted).toBe(false);
    expect(turn.lost).toBeUndefined();
  });

  it('keeps the first reason', async () => {
    const first = refusal('ILLEGAL_GENERATION');
    failure = first;
    await expect(turn.heartbeat()).rejects.toBe(first);
    failure = refusal('UNKNOWN_MEMBER_ID');
    await expect(turn.heartbeat()).rejects.toBe(first);
  });

  it('is aborted, but not lost, when the process ends', () => {
    closing.abort();
    expect(turn.signal.aborted).toBe(true);
    expect(turn.lost).toBeUndefined();
    const late = new PartitionTurn(beat, 1_000, closing.signal);
    expect(late.signal.aborted).toBe(true);
    late.end();
  });

  it('no longer listens once it has ended', () => {
    turn.end();
    closing.abort();
    expect(turn.signal.aborted).toBe(false);
  });
});
