import { AsyncResource } from 'node:async_hooks';
import type { CallReport } from '@sociograph/contracts';
import { type AcquireRequest, LeaseClient, type LeaseClientOptions } from './lease-client';
import { FIRST_PROBES, type ProbeRequest } from './path-probe';
import { PathReports } from './path-reports';
import { SenderThread } from './sender-thread';
import type { SettleResult } from './settle-queue';
import type { SendOutcome, SlotCall } from './slot-sender';
import type { MissCause } from './slot-verdict';
import type { AcquireVerdict, SendSlot, WorkerLease } from './worker-lease';

export interface NetworkAccess {
  /** E.g. https://api.vk.ru/method ; paths of calls are appended to it. */
  baseUrl: string;
  /** What the path is measured with; without one it is not. */
  pathProbe?: ProbeRequest;
  /** Connections kept while there is work (4). */
  connections?: number;
}

/** What became of one slot; `latenessMs` counts from `notBefore`. */
export type SlotFate = { network: string } & (
  | { kind: 'sent'; latenessMs: number; late: boolean; checkedAt: number; sentAt: number }
  | { kind: 'missed'; cause: MissCause }
);

export interface LeaseWorkerOptions extends LeaseClientOptions {
  networks: Readonly<Record<string, NetworkAccess>>;
  /** A sending thread died: the process should end, its supervisor starts a whole one. */
  fail: (error: unknown) => void;
  /** Told of every slot once. */
  onSlot?: (fate: SlotFate) => void;
  /** Told of the margin in force (ms) after each report of a path. */
  onMargin?: (network: string, marginMs: number) => void;
  /** The sending thread's compiled entry; another one only in specs. */
  threadEntry?: string;
}

interface Lane {
  thread: SenderThread;
  reports: PathReports;
  /** Probes still wanted before the first lease is asked for. */
  awaited: number;
}

/** Leases are asked for when the path is known, or after so long without. */
const FIRST_PROBES_MS = 1_500;
const LOOK_EVERY_MS = 20;

/** All that a worker needs to call networks with the pool's keys: protocol, sending thread, probes of the path. */
export class LeaseWorker {
  readonly client: LeaseClient;
  readonly #options: LeaseWorkerOptions;
  readonly #lanes = new Map<string, Lane>();
  #opening: Promise<void> | undefined;
  /** What runs on from the opening belongs to no trace, whichever call came first. */
  readonly #scope = new AsyncResource('lease worker');
  #isOpen = false;
  #isClosed = false;

  constructor(options: LeaseWorkerOptions) {
    this.#options = options;
    this.client = new LeaseClient(options);
    for (const [network, access] of Object.entries(options.networks)) {
      this.#lanes.set(network, this.#lane(network, access));
    }
  }

  /** Session, threads and the first probes; rejects when the pool cannot be reached, and may be called again. */
  open(): Promise<void> {
    this.#opening ??= this.#scope
      .runInAsyncScope(() => this.#open())
      .catch((error: unknown) => {
        this.#opening = undefined;
        throw error;
      });
    return this.#opening;
  }

  /** As LeaseClient's; opens first, so that the pool knows the path before it grants. */
  async acquire(request: AcquireRequest): Promise<AcquireVerdict> {
    if (!this.#isOpen) await this.open();
    this.#lanes.get(request.network)?.thread.warm();
    return this.client.acquire(request);
  }

  /** In the slot or not at all; never rejects. What is withdrawn before its slot is `missed`, and known at once. */
  async send(slot: SendSlot, call: SlotCall, withdrawn?: AbortSignal): Promise<SendOutcome> {
    const { network } = slot.lease;
    const lane = this.#lanes.get(network);
    if (lane === undefined) return { kind: 'missed', cause: 'no-connection' };
    const outcome = await lane.thread.send(slot, call, withdrawn);
    if (outcome.kind === 'missed') {
      if (outcome.cause === 'too-late') this.client.cameTooLate(slot);
      this.#options.onSlot?.({ network, kind: 'missed', cause: outcome.cause });
      return outcome;
    }
    const { sentAt, checkedAt, late } = outcome;
    const latenessMs = sentAt - slot.notBefore;
    // A frozen process says nothing of how punctual a running one is.
    if (!late) lane.reports.sent(latenessMs);
    this.#options.onSlot?.({ network, kind: 'sent', latenessMs, late, checkedAt, sentAt });
    return outcome;
  }

  settle(
    lease: WorkerLease,
    reports: CallReport[],
    unusedMethods?: Record<string, number>,
  ): Promise<SettleResult> {
    return this.client.settle(lease, reports, unusedMethods);
  }

  capacity(of: { workspaceId: string; network: string }): Promise<{ keys: number; callsPerSecond: number }> {
    return this.client.capacity(of);
  }

  /** Every message of the fanout of key states, parsed JSON. */
  keyStateChanged(message: unknown): void {
    const change = this.client.keyStateChanged(message);
    if (change === undefined) return;
    for (const { thread } of this.#lanes.values()) thread.keyChanged(change);
  }

  /** Pool clock, ms. */
  poolNow(): number {
    return this.client.poolNow();
  }

  /** Sends the last settles, ends the session and the threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reports } of this.#lanes.values()) reports.stop();
    await this.client.close();
    await Promise.all([...this.#lanes.values()].map(({ thread }) => thread.close()));
  }

  #lane(network: string, { baseUrl, pathProbe, connections }: NetworkAccess): Lane {
    const { client } = this;
    const { clock, onMargin, fail, threadEntry } = this.#options;
    const reports = new PathReports({
      network,
      report: (measured) => client.reportPath(measured),
      monotonicMs: () => clock.monotonicMs(),
      clockGeneration: () => client.clock.generation,
      onMargin: onMargin && ((marginMs) => onMargin(network, marginMs)),
    });
    const lane: Lane = {
      reports,
      awaited: pathProbe === undefined ? 0 : FIRST_PROBES,
      thread: new SenderThread({
        baseUrl,
        client,
        fail,
        connections,
        pathProbe,
        onProbe: (sample) => {
          lane.awaited -= 1;
          reports.probe(sample);
        },
        entry: threadEntry,
      }),
    };
    return lane;
  }

  async #open(): Promise<void> {
    await this.client.open();
    if (this.#isClosed) return;
    const { clock } = this.#options;
    const deadline = clock.monotonicMs() + FIRST_PROBES_MS;
    const lanes = [...this.#lanes.values()];
    for (const { thread, reports } of lanes) {
      thread.open();
      reports.start();
    }
    while (lanes.some(({ awaited }) => awaited > 0) && clock.monotonicMs() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    await Promise.all(lanes.map(({ reports }) => reports.flush()));
    this.#isOpen = true;
  }
}
