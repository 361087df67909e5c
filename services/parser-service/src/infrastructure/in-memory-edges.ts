import { Secret } from '@sociograph/kernel';
import type { LogPositions, Observation, Sighting } from '../domain/observation';
import type { PackKind } from '../domain/packing';
import {
  AnswerFaults,
  type CallFindings,
  DeadRecords,
  KeyPool,
  type Lease,
  type LeaseRequest,
  type LeaseVerdict,
  type NetworkRequest,
  ObservationLog,
  Pause,
  type SendOutcome,
  ViewProgress,
} from '../domain/ports';

/** A pool whose verdicts and answers a spec lines up; without any it grants, and nothing answers. */
export class MemoryKeyPool extends KeyPool {
  readonly verdicts: LeaseVerdict[] = [];
  readonly answers: SendOutcome[] = [];
  readonly asked: LeaseRequest[] = [];
  readonly requests: NetworkRequest[] = [];
  readonly settled: { leaseId: string; outcome: SendOutcome['kind']; findings: CallFindings }[] = [];
  rate = 3;
  private leases = 0;

  async acquire(request: LeaseRequest): Promise<LeaseVerdict> {
    this.asked.push(request);
    this.leases += 1;
    const lease = { leaseId: `lease-${this.leases}`, keyId: 'key-1', fence: this.leases };
    return this.verdicts.shift() ?? { kind: 'granted', lease };
  }

  async send(
    _lease: Lease,
    authorize: (token: Secret) => NetworkRequest,
    _withdrawn?: AbortSignal,
  ): Promise<SendOutcome> {
    this.requests.push(authorize(new Secret('token-1')));
    return this.answers.shift() ?? { kind: 'broken', cause: 'no answer lined up' };
  }

  async settle(lease: Lease, outcome: SendOutcome, { failure, errors, made }: CallFindings): Promise<void> {
    const findings = failure === undefined ? { errors, made } : { failure, errors, made };
    this.settled.push({ leaseId: lease.leaseId, outcome: outcome.kind, findings });
  }

  async callsPerSecond(): Promise<number> {
    return this.rate;
  }
}

/** One log with one partition: the next position is the number of observations. */
export class MemoryObservationLog extends ObservationLog {
  readonly seen: { sighting: Sighting; observation: Observation }[] = [];
  readonly failures: Error[] = [];

  async publish(sighting: Sighting, observations: readonly Observation[]): Promise<LogPositions> {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    for (const observation of observations) this.seen.push({ sighting, observation });
    return { log: { '0': this.seen.length } };
  }
}

/** Views that have applied the log up to a position. */
export class MemoryViewProgress extends ViewProgress {
  applied = 0;

  reached(positions: LogPositions): boolean {
    return this.behind(positions) === 0;
  }

  behind(positions: LogPositions): number {
    return Math.max(0, (positions['log']?.['0'] ?? 0) - this.applied);
  }
}

/** Notes what it is told. */
export class MemoryAnswerFaults extends AnswerFaults {
  readonly noted: { network: string; kind: PackKind; path: string }[] = [];

  note(network: string, kind: PackKind, path: string): void {
    this.noted.push({ network, kind, path });
  }
}

/** Time passes at once; the waits are noted. */
export class MemoryPause extends Pause {
  readonly waits: number[] = [];

  async ms(duration: number): Promise<void> {
    this.waits.push(duration);
  }
}

/** Nothing was dead-lettered, unless a spec says how reading it fails. */
export class MemoryDeadRecords extends DeadRecords {
  sweeps = 0;
  failure: Error | undefined;

  async sweep(): Promise<void> {
    this.sweeps += 1;
    if (this.failure !== undefined) throw this.failure;
  }
}
