import { Injectable } from '@nestjs/common';
import { callQueue, callRequested, type PayloadOf } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import { TaskHandler } from '@sociograph/messaging';
import { PerformCall } from '../application/perform-call';
import type { ParserMetrics } from '../metrics';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Takes the tasks of the networks' call queues; the call itself is a row that the task only names. */
@Injectable()
export class CallsConsumer {
  constructor(
    private readonly calls: PerformCall,
    private readonly metrics: ParserMetrics,
  ) {}

  @TaskHandler({ queue: callQueue('vk'), message: callRequested })
  async perform({ callId }: PayloadOf<typeof callRequested>): Promise<void> {
    if (!UUID.test(callId)) {
      throw new DomainError({
        code: 'CALLS.BAD_ID',
        kind: 'unprocessable',
        message: 'The task names no call.',
      });
    }
    const stop = this.metrics.call.startTimer();
    this.metrics.inHand.inc();
    try {
      this.metrics.performed.inc({ performance: await this.calls.perform(callId) });
    } finally {
      this.metrics.inHand.dec();
      stop();
    }
  }
}
