import { Injectable } from '@nestjs/common';
import { callQueue, callRequested, type PayloadOf } from '@sociograph/contracts';
import { DomainError, isDomainError } from '@sociograph/kernel';
import { fateOf, TaskHandler } from '@sociograph/messaging';
import { annotateSpan } from '@sociograph/observability';
import { BuryCall } from '../application/bury-call';
import { PerformCall } from '../application/perform-call';
import type { ParserMetrics } from '../metrics';

/** Files are read from our own database: few at a time, so that calls to networks keep their connections. */
const FILE_CALLS_AT_ONCE = 4;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Takes the tasks of the networks' call queues; the call itself is a row that the task only names. */
@Injectable()
export class CallsConsumer {
  constructor(
    private readonly calls: PerformCall,
    private readonly burying: BuryCall,
    private readonly metrics: ParserMetrics,
  ) {}

  @TaskHandler({ queue: callQueue('vk'), message: callRequested })
  async perform({ callId, importId }: PayloadOf<typeof callRequested>): Promise<void> {
    if (!UUID.test(callId)) {
      throw new DomainError({
        code: 'CALLS.BAD_ID',
        kind: 'unprocessable',
        message: 'The task names no call.',
      });
    }
    annotateSpan({ 'sociograph.import.id': importId, 'sociograph.call.id': callId });
    const stop = this.metrics.call.startTimer();
    this.metrics.inHand.inc();
    try {
      this.metrics.performed.inc({ performance: await this.calls.perform(callId) });
    } catch (error) {
      if (!(await this.goesOn(callId, error))) throw error;
    } finally {
      this.metrics.inHand.dec();
      stop();
    }
  }

  @TaskHandler({ queue: callQueue('file'), message: callRequested, prefetch: FILE_CALLS_AT_ONCE })
  performOnFiles(task: PayloadOf<typeof callRequested>): Promise<void> {
    return this.perform(task);
  }

  /**
   * Whether the work goes on without this message: a call that can only fail again is halved until the item to blame
   * is alone. That one becomes a gap, and its message goes to the dead queue, with the reason.
   */
  private async goesOn(callId: string, error: unknown): Promise<boolean> {
    // Without an adapter every call fails, and none of its items is to blame: that is mended by a deployment.
    if (fateOf(error) !== 'dead' || !isDomainError(error) || error.code === 'IMPORTS.NETWORK_MISSING')
      return false;
    const burial = await this.burying.handle(callId, error.code);
    this.metrics.buried.inc({ burial });
    return burial === 'parted';
  }
}
