import type { Postgres, Queryable } from '@sociograph/postgres';
import { RabbitDeadCalls } from './rabbit-dead-calls';

const AWAY = 'amqp://nobody:x@127.0.0.1:1/none';

describe('dead calls', () => {
  it('are looked at by one at a time, so that lookers keep one connection of the database, and a failure ends no other', async () => {
    let [open, most] = [0, 0];
    const worker = {
      async tx<R>(fn: (q: Queryable) => Promise<R>): Promise<R> {
        most = Math.max(most, (open += 1));
        try {
          return await fn({ query: async () => ({ rows: [], rowCount: 0 }) });
        } finally {
          open -= 1;
        }
      },
    } as unknown as Postgres;
    const dead = new RabbitDeadCalls(AWAY, worker);
    const looks = await Promise.allSettled([
      dead.list(1),
      dead.redrive('all', async () => true),
      dead.list(1),
    ]);
    expect(looks).toMatchObject(
      Array(3).fill({ status: 'rejected', reason: { code: 'RABBIT.UNAVAILABLE' } }),
    );
    expect([open, most]).toEqual([0, 1]);
  });
});
