import type { ConformanceCase } from '../run-case';

export const streams: readonly ConformanceCase[] = [
  {
    fact: '2.4.first',
    name: 'the first event comes while the stream goes on',
    ask: () => ({ path: '/stream/do-pause', leavesAfter: 'data: 1\n\n' }),
    expect: {
      status: 200,
      body: 'data: 1\n\n',
      complete: false,
      headers: { 'content-type': 'text/event-stream' },
    },
  },
  {
    fact: '2.4.leaves',
    name: 'the upstream sees that the client leaves',
    ask: () => ({ path: '/stream/do-pause', leavesAfter: 'data: 1\n\n' }),
    expect: { status: 200, complete: false, upstream: { left: true } },
  },
  {
    fact: '2.4.comments',
    name: 'comments keep a stream open beyond read_timeout (3 s)',
    ask: () => ({ path: '/patient/do-comments' }),
    expect: { status: 200, body: /^data: 1\n\n(:\n\n){6}$/ },
  },
  {
    fact: '2.4.silence',
    name: 'a stream that is silent beyond read_timeout is cut, status 200',
    ask: () => ({ path: '/quick-stream/do-pause' }),
    expect: { status: 200, body: 'data: 1\n\n', complete: false },
  },
  ...['do-break', 'do-reset-later'].map((how): ConformanceCase => ({
    fact: '2.4.broken',
    name: `a stream whose upstream breaks off (${how})`,
    ask: () => ({ path: `/stream/${how}` }),
    expect: { status: 200, body: 'hello', complete: false },
  })),
  {
    fact: '2.4.end',
    name: 'a stream that ends',
    ask: () => ({ path: '/stream/do-two-events' }),
    expect: { status: 200, body: 'data: 1\n\ndata: 2\n\n' },
  },
  {
    fact: '2.4.reload',
    name: 'a new configuration during a stream',
    ask: ({ document }) => ({ path: '/stream/do-two-events', meanwhile: { configure: document } }),
    expect: { status: 200, body: 'data: 1\n\ndata: 2\n\n' },
  },
];
