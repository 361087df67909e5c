import type { OnApplicationBootstrap } from '@nestjs/common';
import { TOPICS, viewApplied } from '@sociograph/contracts';
import {
  isEvent,
  OutboxRelay,
  tailTopic,
  type Tail,
  type TaskHandlers,
  type TaskPublisher,
} from '@sociograph/messaging';
import type { HostContext } from '@sociograph/service-host';
import type { CompleteImports } from '../application/complete-imports';
import type { DispatchCalls } from '../application/dispatch-calls';
import type { FollowImports } from '../application/follow-imports';
import type { HoldBack } from '../application/hold-back';
import type { PauseAtQuota } from '../application/pause-at-quota';
import type { PerformCall } from '../application/perform-call';
import type { ParserMetrics } from '../metrics';
import { WAKE_CHANNEL } from './pg-rows';
import type { Servers } from './servers';
import { WakeableLoop } from './wakeable-loop';

/** A call whose message did not come back for so long has none: its items are dispatched anew. */
const STALE_AFTER_MS = 180_000;
const STALE_EVERY_MS = 30_000;
/**
 * Between two rounds: each call that ends makes room for another one, and a round for several of them costs hardly more
 * than for one. Two seconds of work are dispatched ahead, so that nobody waits for it.
 */
const DISPATCH_REST_MS = 50;
/** Followers of imports hear of progress so often; the events are not written more often either. */
const STREAMS_EVERY_MS = 250;
/** Dead letters are looked for before an import completes, and so often for those that completed before. */
const DEAD_RECORDS_EVERY_MS = 60_000;
const RETENTION_EVERY_MS = 60_000;
const FIGURES_EVERY_MS = 10_000;
/** As often as the count of people is told. */
const QUOTA_EVERY_MS = 10_000;

export interface RuntimeParts {
  dispatch: DispatchCalls;
  holdBack: HoldBack;
  perform: PerformCall;
  complete: CompleteImports;
  follow: FollowImports;
  quota: PauseAtQuota;
  tasks: TaskPublisher;
  handlers: TaskHandlers;
  metrics: ParserMetrics;
}

/**
 * What runs beside the requests: dispatcher, relay of the outbox, watch of the views, revival of lost calls. All of
 * it is safe to run in every process at once; the database decides who does what.
 */
export class ParserRuntime implements OnApplicationBootstrap {
  constructor(
    private readonly servers: Servers,
    private readonly ctx: HostContext,
    private readonly parts: RuntimeParts,
  ) {}

  onApplicationBootstrap(): void {
    const { worker, kafka, publisher, views, ledger, deadRecords, retention, figures, files } = this.servers;
    const { logger, metrics: registry, shutdown, health } = this.ctx;
    const { dispatch, holdBack, perform, complete, follow, quota, tasks, handlers, metrics } = this.parts;
    const errors = metrics.workerErrors;
    let lanesWithWork = 0;
    const dispatcher = new WakeableLoop({
      name: 'dispatcher',
      run: async () => {
        if (await holdBack.holds()) return;
        const { dispatched, lanes } = await dispatch.round();
        metrics.dispatched.inc(dispatched);
        lanesWithWork = lanes;
      },
      // A partial pack goes when the calls before it are answered, which nobody announces.
      everyMs: () => (lanesWithWork > 0 ? 100 : 1_000),
      restMs: DISPATCH_REST_MS,
      logger,
      errors,
      onRun: () => health.beat('dispatcher', 60_000),
    });
    const completion = new WakeableLoop({
      name: 'completion',
      run: async () => metrics.completed.inc(await complete.check()),
      everyMs: () => 1_000,
      restMs: 100,
      logger,
      errors,
    });
    const revival = new WakeableLoop({
      name: 'revival',
      run: async () => metrics.revived.inc(await ledger.reviveStale(STALE_AFTER_MS)),
      everyMs: () => STALE_EVERY_MS,
      restMs: 0,
      logger,
      errors,
    });
    const streams = new WakeableLoop({
      name: 'streams',
      run: async () => {
        await follow.tick();
        metrics.streams.set(follow.open);
      },
      everyMs: () => STREAMS_EVERY_MS,
      restMs: 0,
      logger,
      errors,
    });
    const chores = [
      new WakeableLoop({
        name: 'dead records',
        run: () => deadRecords.sweep(),
        everyMs: () => DEAD_RECORDS_EVERY_MS,
        restMs: 0,
        logger,
        errors,
      }),
      new WakeableLoop({
        name: 'retention',
        run: async () => metrics.rowsDeleted.inc(await retention.sweep()),
        everyMs: () => RETENTION_EVERY_MS,
        restMs: 0,
        logger,
        errors,
      }),
      new WakeableLoop({
        name: 'files of the database',
        run: async () => void (await files.look()),
        everyMs: () => files.everyMs,
        restMs: 0,
        logger,
        errors,
      }),
      new WakeableLoop({
        name: 'quota of people',
        run: async () => {
          const paused = await quota.look();
          if (paused > 0)
            logger.warn(
              { paused },
              'imports were paused: their workspaces have all the people they may have',
            );
        },
        everyMs: () => QUOTA_EVERY_MS,
        restMs: 0,
        logger,
        errors,
      }),
      new WakeableLoop({
        name: 'figures',
        run: () => figures.look(),
        everyMs: () => FIGURES_EVERY_MS,
        restMs: 0,
        logger,
        errors,
      }),
    ];
    const relay = new OutboxRelay({
      postgres: worker,
      rabbit: tasks,
      kafka: publisher,
      logger,
      metrics: registry,
    });
    const tail: Tail = tailTopic({
      kafka,
      topic: TOPICS.views,
      fromBeginning: true,
      reader: 'parser-service',
      logger,
      onRecord: (record) => {
        if (!isEvent(record, viewApplied) || record.value === null) return;
        views.note(record.value);
        completion.wake();
      },
    });
    const ear = this.listen(
      (stoppedImportId) => {
        if (stoppedImportId !== '') perform.withdraw(stoppedImportId);
        dispatcher.wake();
        completion.wake();
      },
      () => perform.doubt(),
    );
    for (const loop of [dispatcher, completion, revival, streams, ...chores]) loop.start();
    relay.start();
    // The first answer should not wait for the connection; a broker that is away is tried again with it.
    void publisher.connect().catch(() => undefined);

    shutdown.add('stop-taking', 'dispatcher', async () => {
      perform.stop();
      ear.stop();
      await Promise.all([dispatcher.stop(), revival.stop()]);
    });
    shutdown.add('stop-taking', 'streams', async () => {
      follow.stop();
      await streams.stop();
    });
    shutdown.add('finish', 'chores', async () => void (await Promise.all(chores.map((loop) => loop.stop()))));
    shutdown.add('finish', 'calls', () => handlers.onModuleDestroy());
    shutdown.add('finish', 'completion', async () => {
      await Promise.all([completion.stop(), tail.stop()]);
    });
    shutdown.add('finish', 'relay', () => relay.stop());
  }

  /**
   * Keeps a LISTEN open; while it cannot be, the loops look by themselves once a second, and what was said meanwhile is
   * found out by `onOpen`.
   */
  private listen(onWake: (payload: string) => void, onOpen: () => Promise<void>): { stop(): void } {
    const { worker } = this.servers;
    let stopped = false;
    let current: { release(): void } | undefined;
    const again = (): void => {
      if (!stopped) setTimeout(() => void open(), 500).unref();
    };
    const open = async (): Promise<void> => {
      try {
        const opened = await worker.listen(WAKE_CHANNEL, onWake, again);
        if (stopped) opened.release();
        else current = opened;
        await onOpen().catch((error: unknown) => {
          opened.release();
          throw error;
        });
      } catch (error) {
        this.ctx.logger.info({ err: error }, 'the dispatcher cannot be woken by notifications yet');
        again();
      }
    };
    void open();
    return {
      stop: () => {
        stopped = true;
        current?.release();
      },
    };
  }
}
