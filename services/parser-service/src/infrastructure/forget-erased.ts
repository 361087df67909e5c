import { describeFailure } from '@sociograph/messaging';
import type { Logger } from '@sociograph/observability';
import type { FollowedSuppressions, Mark } from '@sociograph/suppression';
import type { PgForgetting } from './pg-forgetting';

const AGAIN_MS = 2_000;

/**
 * Takes people out of imports as their marks come, and at the start those whose marks came meanwhile. Marks of one
 * workspace and network that come together cost one look through its imports.
 */
export function forgetErased(
  { suppressions, caughtUp }: Pick<FollowedSuppressions, 'suppressions' | 'caughtUp'>,
  forgetting: Pick<PgForgetting, 'removeAll'>,
  logger: Logger,
): { stop(): Promise<void> } {
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
    async stop() {
      stopped = true;
      await running;
    },
  };
}
