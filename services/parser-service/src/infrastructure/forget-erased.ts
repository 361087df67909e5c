import { FORGOTTEN_BY_IMPORTS, TOPICS, viewApplied } from '@sociograph/contracts';
import { describeFailure, type EventPublisher } from '@sociograph/messaging';
import type { Logger } from '@sociograph/observability';
import type { FollowedSuppressions, Mark } from '@sociograph/suppression';
import type { PgForgetting } from './pg-forgetting';

const AGAIN_MS = 2_000;

export interface Forgetter {
  /** Nobody whose mark was heard of is left to be taken out. */
  idle(): boolean;
  stop(): Promise<void>;
}

/**
 * Takes people out of imports as their marks come, and at the start those whose marks came meanwhile. Marks of one
 * workspace and network that come together cost one look through its imports.
 */
export function forgetErased(
  { suppressions, caughtUp }: Pick<FollowedSuppressions, 'suppressions' | 'caughtUp'>,
  forgetting: Pick<PgForgetting, 'removeAll'>,
  logger: Logger,
): Forgetter {
  const waiting = new Map<string, Mark[]>();
  let stopped = false;
  let complete = false;
  let running: Promise<void> | undefined;

  const work = async (): Promise<void> => {
    for (const [scope, marks] of waiting) {
      if (stopped) return;
      waiting.delete(scope);
      const [{ workspaceId, network }] = marks as [Mark];
      try {
        const names = marks.map(({ mark }) => mark);
        if (await forgetting.removeAll({ workspaceId, network }, names))
          logger.info({ people: marks.length }, 'erased people were taken out of the imports');
      } catch (error) {
        waiting.set(scope, [...marks, ...(waiting.get(scope) ?? [])]);
        logger.warn(describeFailure(error), 'erased people cannot be taken out of the imports yet');
        return;
      }
    }
  };
  const begin = (): void => {
    if (!complete || stopped || running !== undefined || waiting.size === 0) return;
    running = work().finally(() => {
      running = undefined;
      if (waiting.size > 0) setTimeout(begin, AGAIN_MS).unref();
    });
  };
  suppressions.onMark((mark) => {
    const scope = `${mark.workspaceId}:${mark.network}`;
    waiting.set(scope, [...(waiting.get(scope) ?? []), mark]);
    begin();
  });
  void caughtUp.then(() => {
    complete = true;
    begin();
  });
  return {
    idle: () => complete && waiting.size === 0 && running === undefined,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

/** Tells whoever waits for an erasure that up to this mark nobody is left here. */
export async function announceForgotten(
  publisher: Pick<EventPublisher, 'publish'>,
  at: number,
  upTo: number,
): Promise<void> {
  const appliedUpTo = { [TOPICS.suppressions.name]: { '0': upTo } };
  // No lock decides who says it: what was done once stays so, whoever said less afterwards.
  const value = { view: FORGOTTEN_BY_IMPORTS, partition: 0, appliedUpTo, at, fence: 0 };
  await publisher.publish([{ message: viewApplied, key: `${FORGOTTEN_BY_IMPORTS}:0`, value }]);
}
