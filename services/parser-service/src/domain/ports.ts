import type { Secret } from '@sociograph/kernel';
import type { ItemTally } from './certificate';
import type { ImportJob } from './import-job';
import type { GapCause, Item, ItemOutcome } from './items';
import type { LogPositions, Observation, Sighting } from './observation';
import type { Pack, PackKind, PackSizes, PendingWork } from './packing';

/** The imports of all workspaces; every method but the last two sees one workspace only. */
export abstract class Imports {
  /** Stores the import with its first items, wakes the dispatcher and announces the import. */
  abstract add(job: ImportJob): Promise<void>;
  abstract find(workspaceId: string, importId: string): Promise<ImportRecord | undefined>;
  /** Newest first; `after` is the id of the last import of the page before. */
  abstract page(workspaceId: string, limit: number, after?: string): Promise<ImportRecord[]>;
  /**
   * Applies a pure function to the import under its lock, saves, announces a changed state. An import that was
   * cancelled loses its open items; undefined when there is no such import.
   */
  abstract change(
    workspaceId: string,
    importId: string,
    step: (job: ImportJob) => ImportJob,
  ): Promise<ImportRecord | undefined>;
  /** Items by kind, standing and cause, with at most `peopleEach` ids each. */
  abstract tally(workspaceId: string, importId: string, peopleEach: number): Promise<ItemTally[]>;
  /** All imports, of every workspace, that only wait for the views. */
  abstract settling(): Promise<ImportRecord[]>;
}

export interface ImportRecord {
  readonly job: ImportJob;
  /** The highest positions of what this import published. */
  readonly positions: LogPositions;
}

/** A workspace's calls to one network: the unit that capacity and order of dispatch belong to. */
export interface Lane {
  readonly workspaceId: string;
  readonly network: string;
}

export interface LaneView {
  readonly outstanding: number;
  readonly unanswered: number;
  /** In the order in which imports had their turn: longest ago first. */
  readonly work: readonly PendingWork[];
}

export interface DispatchPlan {
  readonly calls: readonly { callId: string; pack: Pack }[];
  /** Imports whose open items become gaps, cause `limit-reached`. */
  readonly closed: readonly string[];
}

/** One packed call as stored. */
export interface Call {
  readonly callId: string;
  readonly importId: string;
  readonly workspaceId: string;
  readonly network: string;
  readonly kind: PackKind;
  readonly people: readonly string[];
  /** Those of them that wait for this call, their attempts without it. */
  readonly items: readonly Item[];
  /** False: it is done, was put back, or its import does not run; nothing is to be sent. */
  readonly wanted: boolean;
}

export interface CallResult {
  /** People of the call whose item is done. */
  readonly done: readonly string[];
  readonly gaps: readonly { person: string; cause: GapCause; detail: string | null }[];
  readonly long: readonly string[];
  readonly again: readonly { person: string; readyInMs: number; refund: boolean; cause: string }[];
  /** People seen, with their distance from the seeds; known ones among them do no harm. */
  readonly found: readonly { person: string; depth: number }[];
  readonly positions: LogPositions;
  readonly friendshipObservations: number;
}

/** Items and calls. Each method is one transaction; what must be told to a queue leaves through the outbox. */
export abstract class CallLedger {
  /** Lanes with at least one running import that has open items and is not on hold. */
  abstract lanes(): Promise<Lane[]>;
  /**
   * One round of dispatch, alone in its lane whatever the number of processes: shows `plan` the lane, stores the
   * calls that it returns with their items, and sends one message each. Returns how many were dispatched.
   */
  abstract dispatch(lane: Lane, plan: (view: LaneView) => DispatchPlan): Promise<number>;
  abstract find(callId: string): Promise<Call | undefined>;
  /**
   * Marks the call as being made and counts an attempt of each of its items, which it returns; empty when the call
   * has ended. It may run beside the send: what matters is that a call which kills its process is remembered.
   */
  abstract begin(callId: string): Promise<Item[]>;
  /** False when the call was finished before: then nothing is changed. */
  abstract finish(callId: string, result: CallResult): Promise<boolean>;
  /** The items wait again, the import is not dispatched for `holdMs`; `refund`: the attempt was none. */
  abstract putBack(callId: string, options: { holdMs: number; refund: boolean }): Promise<void>;
  /** Replaces the call by two with half of its items each, which are dispatched at once. */
  abstract split(callId: string, halves: readonly [string, string]): Promise<void>;
  /** Puts back calls whose message must be lost: not finished for so long. Returns how many. */
  abstract reviveStale(olderThanMs: number): Promise<number>;
}

export interface LeaseRequest {
  readonly workspaceId: string;
  readonly network: string;
  readonly importId: string;
  /** How often each method of the network is called: what a packed call needs. */
  readonly methods: Record<string, number>;
  readonly timeoutMs: number;
}

/** A right to make one call with one key. What the adapter needs beyond this stays its own. */
export interface Lease {
  readonly leaseId: string;
  readonly keyId: string;
  readonly fence: number;
}

export type LeaseVerdict =
  { kind: 'granted'; lease: Lease } | { kind: 'denied'; reason: string; retryInMs: number };

/** A request to a network without its token: the key pool adds that where the network wants it. */
export interface NetworkRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
}

export type SendOutcome =
  | { kind: 'answered'; observedAt: number; status: number; body: string }
  /** The slot went by: nothing was sent. */
  | { kind: 'missed'; cause: string }
  /** It was sent, no answer came. */
  | { kind: 'broken'; cause: string };

/** What is told to the pool about the call. */
export interface CallFindings {
  /** The network's error for the call as a whole. */
  readonly failure?: NetworkError;
  /** Errors of calls inside a packed one, each with its method. */
  readonly errors: readonly NetworkError[];
  /** Calls of each method that were really made. */
  readonly made: Record<string, number>;
}

export interface NetworkError {
  readonly method: string;
  readonly code: number;
  readonly message: string;
}

export abstract class KeyPool {
  abstract acquire(request: LeaseRequest): Promise<LeaseVerdict>;
  /** In the lease's slot or not at all; `authorize` puts the token where the network wants it. */
  abstract send(lease: Lease, authorize: (token: Secret) => NetworkRequest): Promise<SendOutcome>;
  /** Ends the lease. A pool that cannot be reached neither fails nor holds the call: the lease ends by itself. */
  abstract settle(lease: Lease, outcome: SendOutcome, findings: CallFindings): Promise<void>;
  abstract callsPerSecond(lane: Lane): Promise<number>;
}

/** How an answer is to be understood; the findings are for the pool, whatever the kind. */
export type Reading = CallFindings &
  (
    | { kind: 'read'; outcomes: ReadonlyMap<string, ItemOutcome> }
    /** Too much for one call: halve it. A call of one item is that item's own fault. */
    | { kind: 'split'; cause: string }
    /** The whole call failed. */
    | { kind: 'failed'; blame: 'item' | 'key'; cause: string }
  );

/** A network that can be imported from; one adapter each, under infrastructure/networks. */
export abstract class SocialNetwork {
  abstract readonly name: string;
  abstract readonly packSizes: PackSizes;
  /** What one ordinary key allows; for forecasts only, the pool knows each key's own. */
  abstract readonly keyCallsPerSecond: number;
  /** The id as the network writes it, or undefined when no person can have it. */
  abstract personId(given: string): string | undefined;
  abstract methods(kind: PackKind, people: readonly string[]): Record<string, number>;
  abstract request(kind: PackKind, people: readonly string[], token: Secret): NetworkRequest;
  abstract read(kind: PackKind, people: readonly string[], status: number, body: string): Reading;
}

/** The adapters of this process, by name. */
export class Networks {
  private readonly byName: ReadonlyMap<string, SocialNetwork>;

  constructor(networks: readonly SocialNetwork[]) {
    this.byName = new Map(networks.map((network) => [network.name, network]));
  }

  get names(): string[] {
    return [...this.byName.keys()];
  }

  find(name: string): SocialNetwork | undefined {
    return this.byName.get(name);
  }
}

/** The log of observations; resolves when all are stored by every replica that must have them. */
export abstract class ObservationLog {
  abstract publish(sighting: Sighting, observations: readonly Observation[]): Promise<LogPositions>;
}

/** Lets time pass: seconds between tries of what is unavailable. */
export abstract class Pause {
  abstract ms(duration: number): Promise<void>;
}

/** How far the views have come that make an import readable: what ALL of them have applied. */
export abstract class ViewProgress {
  abstract reached(positions: LogPositions): boolean;
}
