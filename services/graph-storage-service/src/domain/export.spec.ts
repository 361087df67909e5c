import {
  EXPORT_FILES,
  EXPORT_FORMATS,
  exportFileName,
  failedExport,
  fileOf,
  finishedExport,
  isDue,
  isHeldBy,
  nextExport,
  postponedExport,
  progressedExport,
  requestedExport,
  startedOverExport,
  takenExport,
  type Export,
} from './export';

const DAY = 86_400_000;
const fault = { code: 'A.B', message: 'No.' };

function anExport(changes: Partial<Export> = {}): Export {
  const wanted = {
    id: 'e1',
    workspaceId: 'w',
    network: 'vk',
    subject: { kind: 'graph' },
    format: 'csv',
  } as const;
  return { ...requestedExport(wanted, 1_000), ...changes };
}

describe('an export', () => {
  it('waits from its request on, for a day at most', () => {
    expect(anExport()).toEqual({
      id: 'e1',
      workspaceId: 'w',
      network: 'vk',
      subject: { kind: 'graph' },
      format: 'csv',
      requestedAt: 1_000,
      expiresAt: 1_000 + DAY,
      attempts: 0,
      people: 0,
      friendships: 0,
      state: { kind: 'waiting', notBefore: 1_000 },
    });
  });

  it('is due when its time has come, or its maker was silent for a minute', () => {
    expect([isDue(anExport(), 999), isDue(anExport(), 1_000)]).toEqual([false, true]);
    const taken = takenExport(anExport(), 'me', 2_000);
    expect([isDue(taken, 61_999), isDue(taken, 62_000)]).toEqual([false, true]);
    expect(isDue(failedExport(taken, fault, 2_000), 10 * DAY)).toBe(false);
    expect(
      isDue(finishedExport(taken, { people: 1, friendships: 1, bytes: 1, complete: true }, 1), 10 * DAY),
    ).toBe(false);
  });

  it('is taken under a name and into a file of that attempt', () => {
    const taken = takenExport(anExport({ people: 5, friendships: 6 }), 'me', 2_000);
    expect(taken).toMatchObject({ attempts: 1, people: 0, friendships: 0, expiresAt: 1_000 + DAY });
    expect(taken.state).toEqual({
      kind: 'running',
      by: 'me',
      until: 62_000,
      startedAt: 2_000,
      file: 'w/me.csv.zip',
    });
    expect([isHeldBy(taken, 'me'), isHeldBy(taken, 'you'), isHeldBy(anExport(), 'me')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([fileOf(taken), fileOf(anExport())]).toEqual(['w/me.csv.zip', undefined]);
  });

  it('is given up at the sixth attempt', () => {
    expect(takenExport(anExport({ attempts: 4 }), 'me', 2_000)).toMatchObject({
      attempts: 5,
      state: { kind: 'running' },
    });
    expect(takenExport(anExport({ attempts: 5 }), 'me', 2_000)).toMatchObject({
      attempts: 5,
      expiresAt: 2_000 + DAY,
      state: {
        kind: 'failed',
        code: 'EXPORT.GAVE_UP',
        message: 'It was begun 5 times and never finished.',
        finishedAt: 2_000,
      },
    });
  });

  it('says how far it is and that its maker is alive', () => {
    const taken = takenExport(anExport(), 'me', 2_000);
    const on = progressedExport(taken, { people: 3, friendships: 4 }, 5_000);
    expect(on).toEqual({ ...taken, people: 3, friendships: 4, state: { ...taken.state, until: 65_000 } });
    expect(progressedExport(anExport(), { people: 3, friendships: 4 }, 5_000)).toEqual(anExport());
  });

  it('is ready for a day with what its file holds', () => {
    const taken = takenExport(anExport(), 'me', 2_000);
    const result = { people: 7, friendships: 8, bytes: 9, complete: false };
    const ready = finishedExport(taken, result, 9_000);
    expect(ready).toMatchObject({ people: 7, friendships: 8, attempts: 1, expiresAt: 9_000 + DAY });
    expect(ready.state).toEqual({
      kind: 'ready',
      file: 'w/me.csv.zip',
      bytes: 9,
      complete: false,
      startedAt: 2_000,
      finishedAt: 9_000,
    });
    expect(fileOf(ready)).toBe('w/me.csv.zip');
    expect(finishedExport(anExport(), result, 9_000)).toEqual(anExport());
  });

  it('fails for good with a sentence', () => {
    const failed = failedExport(takenExport(anExport(), 'me', 2_000), fault, 3_000);
    expect(failed).toMatchObject({
      expiresAt: 3_000 + DAY,
      state: { kind: 'failed', ...fault, finishedAt: 3_000 },
    });
    expect(fileOf(failed)).toBeUndefined();
  });

  it('is put off, each time twice as long, until the fifth attempt fails it', () => {
    const delays = [1, 2, 3, 4].map((attempts) => {
      const { state } = postponedExport(anExport({ attempts, people: 1, friendships: 1 }), fault, 100);
      return state.kind === 'waiting' ? state.notBefore - 100 : undefined;
    });
    expect(delays).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(postponedExport(anExport({ attempts: 1, people: 1, friendships: 1 }), fault, 1)).toMatchObject({
      people: 0,
      friendships: 0,
    });
    expect(postponedExport(anExport({ attempts: 5 }), fault, 100).state).toMatchObject({
      kind: 'failed',
      ...fault,
    });
  });

  it('is started over without a failed attempt being counted', () => {
    const taken = { ...takenExport(anExport(), 'me', 2_000), people: 3, friendships: 3 };
    expect(startedOverExport(taken, 4_000)).toEqual({
      ...anExport(),
      state: { kind: 'waiting', notBefore: 4_000 },
    });
    expect(startedOverExport(anExport(), 4_000).attempts).toBe(0);
  });

  it('has a name that says what it is', () => {
    expect(EXPORT_FORMATS.map((format) => exportFileName({ id: '1', network: 'vk', format }))).toEqual([
      'vk-1.gexf',
      'vk-1.graphml',
      'vk-1.csv.zip',
      'vk-1.parquet.zip',
    ]);
    expect(Object.values(EXPORT_FILES).map(({ mediaType }) => mediaType)).toEqual([
      'application/gexf+xml',
      'application/graphml+xml',
      'application/zip',
      'application/zip',
    ]);
  });
});

describe('the next export to make', () => {
  const running = (id: string, workspaceId: string, until = 9_000): Export =>
    anExport({ id, workspaceId, state: { kind: 'running', by: 'x', until, startedAt: 1, file: 'f' } });

  it('is the oldest that is due', () => {
    const open = [
      anExport({ id: 'c', requestedAt: 3 }),
      anExport({ id: 'b', requestedAt: 2 }),
      anExport({ id: 'a', requestedAt: 2 }),
      anExport({ id: 'later', requestedAt: 1, state: { kind: 'waiting', notBefore: 5_001 } }),
    ];
    expect(nextExport(open, 1, 5_000)?.id).toBe('a');
    expect(nextExport(open, 1, 5_001)?.id).toBe('later');
    expect(nextExport([], 1, 5_000)).toBeUndefined();
  });

  it('is of a workspace that has not its share already', () => {
    const open = [
      running('r1', 'w1'),
      anExport({ id: 'x', workspaceId: 'w1' }),
      anExport({ id: 'y', workspaceId: 'w2' }),
    ];
    expect(nextExport(open, 1, 5_000)?.id).toBe('y');
    expect(nextExport(open, 2, 5_000)?.id).toBe('x');
    expect(nextExport(open.slice(0, 2), 1, 5_000)).toBeUndefined();
  });

  it('may be one whose maker is gone', () => {
    expect(nextExport([running('r1', 'w1', 5_000)], 1, 5_000)?.id).toBe('r1');
    expect(nextExport([running('r1', 'w1', 5_001)], 1, 5_000)).toBeUndefined();
  });
});
