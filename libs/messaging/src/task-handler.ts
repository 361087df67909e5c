import { SetMetadata, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { MetadataScanner, type DiscoveryService } from '@nestjs/core';
import type { MessageDefinition } from '@sociograph/contracts';
import type { Logger, Metrics } from '@sociograph/observability';
import type { ManagedConnection } from './confirmed-channel';
import { TaskConsumer, type TaskConsumerOptions } from './task-consumer';

export interface TaskHandlerOptions {
  /** Work queue of the topology; it exists already. */
  queue: string;
  message: MessageDefinition;
  /** Tasks under way at once in this process; the module's default when absent. */
  prefetch?: number;
  ladder?: readonly { suffix: string; delayMs: number }[];
}

const TASK_HANDLER = Symbol('sociograph.task-handler');

/** Declares a provider's method `(payload, task: TaskContext) => Promise<void>` as the handler of a work queue. */
export function TaskHandler(options: TaskHandlerOptions): MethodDecorator {
  return SetMetadata(TASK_HANDLER, options);
}

export interface TaskHandlersOptions {
  prefetch: number;
  logger: Logger;
  metrics?: Metrics;
}

/**
 * Finds every @TaskHandler of the application and consumes for it. Consuming starts when the application is
 * initialised and stops first when it is destroyed, so handlers never see a half-built or closed dependency.
 */
export class TaskHandlers implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #consumers: TaskConsumer[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly connection: ManagedConnection,
    private readonly options: TaskHandlersOptions,
  ) {}

  onApplicationBootstrap(): void {
    const scanner = new MetadataScanner();
    for (const { instance } of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      if (typeof instance !== 'object' || instance === null) continue;
      const methods = instance as Record<string, unknown>;
      for (const name of scanner.getAllMethodNames(Object.getPrototypeOf(instance) as object)) {
        const method = methods[name];
        if (typeof method !== 'function') continue;
        const declared = Reflect.getMetadata(TASK_HANDLER, method) as TaskHandlerOptions | undefined;
        if (declared !== undefined) this.#consumers.push(this.#consume(declared, method.bind(instance)));
      }
    }
  }

  /** Resolves when every handler takes tasks. */
  async consuming(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.consuming()));
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#consumers.splice(0).map((consumer) => consumer.close()));
  }

  #consume(declared: TaskHandlerOptions, handle: TaskConsumerOptions['handle']): TaskConsumer {
    const { prefetch, logger, metrics } = this.options;
    return new TaskConsumer(this.connection, {
      prefetch,
      ...declared,
      logger,
      ...(metrics === undefined ? {} : { metrics }),
      handle,
    });
  }
}
