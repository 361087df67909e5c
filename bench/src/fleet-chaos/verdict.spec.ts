import type { EndedImport } from '../fleet/endless-imports';
import type { PlayedFault } from './play-fault';
import { balanceOf, type ChaosFigures, missesOf } from './verdict';

function anImport(
  part: { known?: number; got?: number; state?: string; final?: boolean; gaps?: object[] } = {},
): EndedImport {
  const { known = 10, got = 10, state = 'completed', final = true, gaps = [] } = part;
  return {
    seconds: 5,
    view: {
      id: 'i',
      state,
      counters: {
        people: { known, done: 10 },
        lists: { known: 10, done: 10 },
        calls: { made: 2 },
        friendshipObservations: 40,
      },
      frontierClosed: true,
    },
    certificate: {
      final,
      expected: { people: 10, lists: 10 },
      got: { people: got, lists: 10 },
      open: { people: 0, lists: 0 },
      gaps,
    },
  } as EndedImport;
}

const fault: PlayedFault = {
  fault: { kind: 'term', target: 'gateway' },
  work: 'answers',
  recoveryMs: 10_000,
  exitMs: 5_000,
};
const clean: ChaosFigures = {
  played: [fault],
  imports: [anImport()],
  people: 10,
  differences: [],
  refused: 2,
  frozenSends: 2,
  dead: 0,
  answers: { '200': 5, '502': 7, ECONNREFUSED: 1 },
  healthy: true,
};

describe('the balance of imports', () => {
  it.each([
    [anImport(), { lost: 0, double: 0 }],
    [anImport({ got: 7 }), { lost: 3, double: 0 }],
    [anImport({ known: 12 }), { lost: 0, double: 2 }],
    [anImport({ known: 12, got: 9 }), { lost: 1, double: 2 }],
  ])('tells what is lost and what is there twice (%#)', (one, balance) => {
    expect(balanceOf([one], 10)).toEqual(balance);
  });
});

describe('the verdict on a fleet under faults', () => {
  it('is clean at ten seconds to the first work and five to the exit', () => {
    expect(missesOf(clean)).toEqual([]);
  });

  it.each<[string, Partial<ChaosFigures>, string]>([
    ['a slow recovery', { played: [{ ...fault, recoveryMs: 10_060 }] }, 'term gateway: work after 10.1 s'],
    [
      'no recovery',
      { played: [{ ...fault, recoveryMs: undefined }] },
      'term gateway: no work came (a profile through the gateway)',
    ],
    ['a slow exit', { played: [{ ...fault, exitMs: 5_100 }] }, 'term gateway: gone after 5.1 s'],
    ['a figure that differs', { differences: ['users is 3, not 4'] }, 'users is 3, not 4'],
    ['an import that failed', { imports: [anImport({ state: 'failed' })] }, 'import 1 is failed'],
    [
      'a certificate that is not final',
      { imports: [anImport({ final: false })] },
      'import 1 has no final certificate',
    ],
    [
      'a gap',
      { imports: [anImport({ gaps: [{ what: 'list', cause: 'gave-up', count: 2 }] })] },
      'import 1: gap: 2 of list, gave-up',
    ],
    ['no import at all', { imports: [] }, 'no import ended'],
    ['what is lost', { imports: [anImport({ got: 9 })] }, '1 people and lists are lost'],
    ['what is there twice', { imports: [anImport({ known: 11 })] }, '1 people and lists are there twice'],
    ['a refused call', { refused: 3 }, '1 calls overstepped a limit'],
    ['dead letters', { dead: 4 }, '4 messages and records in dead queues'],
    ['a fault of ours', { answers: { '500': 2 } }, '2 requests were answered 500'],
    [
      'a process that is gone',
      { healthy: false },
      'a process is dead, deaf or given up: a person has to help',
    ],
  ])('names %s', (_, part, words) => {
    expect(missesOf({ ...clean, ...part })).toEqual([words]);
  });
});
