import type { Secret } from '@sociograph/kernel';
import type { Act } from './audit';
import type { ItemTally } from './certificate';
import type { ImportJob, ImportState, Reopened } from './import-job';
import type { ImportScope, Inclusion } from './import-scope';
import type { GapCause, Item, ItemOutcome } from './items';
import type { KnownPeople, RefreshItem } from './known-people';
import type { LogPositions, Observation, Sighting } from './observation';
import type { Pack, PackKind, PackSize, PackSizes, PendingWork } from './packing';
import type { ProgressMark } from './progress';

/**
 * The imports of all workspaces; every method but the last two sees one workspace only, and none an import that was
 * deleted. Where one more import would run than the workspace may have, IMPORTS.QUOTA_RUNNING is thrown.
 */
export abstract class Imports {
  /**
   * Stores the import with its first items, wakes the dispatcher, announces the import and audits the act. `items`: in
   * place of those that follow from its seeds.
   */
  abstract add(job: ImportJob, act?: Act, items?: readonly RefreshItem[]): Promise<void>;
  abstract find(workspaceId: string, importId: string): Promise<ImportRecord | undefined>;
  /** Newest first, without their seeds, only how many; `after` is the id of the last import of the page before. */
  abstract page(
    workspaceId: string,
    limit: number,
    after?: string,
    filter?: ImportFilter,
  ): Promise<ImportRecord[]>;
  /**
   * Applies a pure function to the import under its lock; where that was a step, saves, announces the state and audits
   * the act. An import that was cancelled loses its open items and its queued calls; undefined when there is none.
   */
  abstract change(
    workspaceId: string,
    importId: string,
    step: (job: ImportJob) => ImportJob,
    act?: Act,
  ): Promise<ImportRecord | undefined>;
  /** Like `change`, but gaps of these causes are open items again when it returns. */
  abstract retry(
    workspaceId: string,
    importId: string,
    causes: readonly GapCause[],
    decide: (job: ImportJob, reopened: Reopened) => ImportJob,
    act?: Act,
    /** Only items about these. */
    people?: readonly string[],
  ): Promise<ImportRecord | undefined>;
  /**
   * Takes friend lists of these people into work again, new ones and final ones, where the import only waits for the
   * views and stands at this revision. False when it does not, or when that was done so often already.
   */
  abstract lookAgain(
    workspaceId: string,
    importId: string,
    people: readonly string[],
    at: { revision: number; now: number; mostRounds: number },
  ): Promise<boolean>;
  /** Items by kind, standing and cause, with at most `peopleEach` ids each. */
  abstract tally(workspaceId: string, importId: string, peopleEach: number): Promise<ItemTally[]>;
  /** All imports, of every workspace, that run. */
  abstract running(): Promise<{ workspaceId: string; importId: string }[]>;
  /** All imports, of every workspace, that only wait for the views. */
  abstract settling(): Promise<ImportRecord[]>;
}

export interface ImportFilter {
  readonly state?: Exclude<ImportState, 'deleted'> | undefined;
  readonly network?: string | undefined;
}

export interface ImportRecord {
  readonly job: ImportJob;
  /** Where the job comes without its seeds: a page of imports may have millions of them. */
  readonly seedCount?: number;
  /** The highest positions of what this import published. */
  readonly positions: LogPositions;
}

/** The life of imports as events, each with what the import had reached. Whether a caller may see it is decided before. */
export abstract class ImportEvents {
  /** The last event of each import that is there; progress that no event told of yet becomes one first. */
  abstract latest(importIds: readonly string[]): Promise<Map<string, number>>;
  /** Events after one, oldest first; who is very far behind gets a part of them. */
  abstract since(importId: string, after: number): Promise<ProgressMark[]>;
  /** The last ones, oldest first: enough to tell the pace. */
  abstract recent(importId: string): Promise<ProgressMark[]>;
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
  /** Sizes of packs that calls of this lane taught. */
  readonly learned: Readonly<Partial<Record<PackKind, number>>>;
}

export interface DispatchPlan {
  readonly calls: readonly { callId: string; pack: Pack }[];
  /** Imports whose open items become gaps, cause `limit-reached`. */
  readonly closed: readonly string[];
}

/** What a round of dispatch can do at most; nothing beyond that is looked at. */
export interface DispatchBounds {
  /** Calls of the lane that may be dispatched and not finished. */
  readonly calls: number;
  /** With room for fewer than these the lane shows no work: a round for some more of them costs no more. */
  readonly least: number;
  readonly packSizes: PackSizes;
}

/** An answer that came and is not stored as what it says yet, with all that it takes to read it. */
export interface KeptAnswer {
  /** Whom it is about, in the order in which they were asked for. */
  readonly people: readonly string[];
  readonly tries: number;
  readonly status: number;
  readonly body: string;
  readonly observedAt: number;
  readonly keyId: string;
  readonly fence: number;
}

/** One packed call as stored. */
export interface Call {
  readonly callId: string;
  readonly importId: string;
  readonly workspaceId: string;
  readonly network: string;
  readonly kind: PackKind;
  readonly people: readonly string[];
  /** Where lists go on that earlier calls began, by person. */
  readonly cursors: Readonly<Record<string, string>>;
  readonly scope: ImportScope;
  /** How often its items were in a call that was too much. */
  readonly splits: number;
  /** Those of them that wait for this call, their attempts without it. */
  readonly items: readonly Item[];
  /** False: it is done, was put back, or its import does not run; nothing is to be sent. */
  readonly wanted: boolean;
  /** It was answered, and whoever had it did not come to store that: nothing is to be sent. */
  readonly kept?: KeptAnswer | undefined;
}

export interface CallResult {
  /** People of the call whose item is done. */
  readonly done: readonly string[];
  /** Of them: whose profile says that they are banned. What is `deleted` of theirs is `banned` in every tally. */
  readonly banned?: readonly string[];
  readonly gaps: readonly { person: string; cause: GapCause; detail: string | null }[];
  readonly long: readonly string[];
  /** Items of which a part came: the next call goes on at the cursor. */
  readonly more: readonly { person: string; cursor: string }[];
  readonly again: readonly { person: string; readyInMs: number; refund: boolean; cause: string }[];
  /** People and groups seen, with their distance from the seeds; known ones among them do no harm. */
  readonly found: readonly { person: string; depth: number }[];
  readonly positions: LogPositions;
  readonly friendshipObservations: number;
  /** Given where the answer shows that a call of this kind may hold so many items; what is learned is `grown`. */
  readonly fitted?: PackSize;
}

export interface PutBackOptions {
  /** The import is not dispatched for so long. */
  readonly holdMs: number;
  /** The attempt was none. */
  readonly refund: boolean;
}

/** Items and calls. Each method is one transaction; what must be told to a queue leaves through the outbox. */
export abstract class CallLedger {
  /** Lanes with at least one running import that has open items and is not on hold. */
  abstract lanes(): Promise<Lane[]>;
  /**
   * One round of dispatch, alone in its lane whatever the number of processes: shows `plan` the lane, stores the
   * calls that it returns with their items, and sends one message each. Returns how many were dispatched.
   */
  abstract dispatch(
    lane: Lane,
    plan: (view: LaneView) => DispatchPlan,
    bounds?: DispatchBounds,
  ): Promise<number>;
  abstract find(callId: string): Promise<Call | undefined>;
  /**
   * Marks the call as being made and counts an attempt of each of its items, which it returns; empty when the call
   * has ended. Calls that begin at once may begin together. It may run beside the send: what matters is that a call which kills its process is remembered.
   */
  abstract begin(callId: string): Promise<Item[]>;
  /**
   * Keeps an answer until its call ends. False when that is not done: the call has ended, or the answer is too large to be
   * written twice.
   */
  abstract keep(callId: string, answer: KeptAnswer): Promise<boolean>;
  /**
   * False when the call was finished before: then nothing is changed. Calls of the import that is named may be stored
   * together, in one transaction.
   */
  abstract finish(callId: string, result: CallResult, importId?: string): Promise<boolean>;
  /**
   * The items wait again. Calls of the import that is named may go back together, in one transaction; the longest hold of
   * them counts.
   */
  abstract putBack(callId: string, options: PutBackOptions, importId?: string): Promise<void>;
  /**
   * Replaces the call by as many as there are new ids, with an equal share of its items each, which are dispatched at
   * once. `tooMuch`: the lane learns that calls of this kind must be smaller (`shrunk`).
   */
  abstract split(callId: string, parts: readonly string[], tooMuch?: PackSize): Promise<void>;
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
  /** When its slot begins, on this process' monotonic clock (ms); absent: now. */
  readonly slotAt?: number;
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
  /**
   * In the lease's slot or not at all; `authorize` puts the token where the network wants it. `missed` when it is
   * withdrawn before its slot.
   */
  abstract send(
    lease: Lease,
    authorize: (token: Secret) => NetworkRequest,
    withdrawn?: AbortSignal,
  ): Promise<SendOutcome>;
  /** Ends the lease. A pool that cannot be reached neither fails nor holds the call: the lease ends by itself. */
  abstract settle(lease: Lease, outcome: SendOutcome, findings: CallFindings): Promise<void>;
  abstract callsPerSecond(lane: Lane): Promise<number>;
}

/** How an answer is to be understood; the findings are for the pool, whatever the kind. */
export type Reading = CallFindings &
  (
    | { kind: 'read'; outcomes: ReadonlyMap<string, ItemOutcome> }
    /** Too much for one call, or spoiled by one of its items: take it apart. One item alone is its own fault. */
    | { kind: 'split'; why: 'too-much' | 'bad-id'; cause: string }
    /** The whole call failed. */
    | { kind: 'failed'; blame: 'item' | 'key'; cause: string }
  );

/** What a call asks for. */
export interface CallContent {
  readonly callId: string;
  readonly kind: PackKind;
  readonly people: readonly string[];
  readonly cursors: Readonly<Record<string, string>>;
  readonly scope: ImportScope;
  /** Calls of the most tried of these items that failed before this one: a reason to ask for less. */
  readonly tries: number;
}

/** A network that can be imported from; one adapter each, under infrastructure/networks. */
export abstract class SocialNetwork {
  abstract readonly name: string;
  /** A seed that means everybody; only where the network is a file: then imports name the uploads that they read. */
  readonly everybody: string | undefined = undefined;
  /** Nobody counts its calls: to ask twice costs nothing. */
  readonly isFree: boolean = false;
  /** What can be asked of it. */
  abstract readonly offers: readonly Inclusion[];
  abstract readonly packSizes: PackSizes;
  /** What one ordinary key allows; for forecasts only, the pool knows each key's own. */
  abstract readonly keyCallsPerSecond: number;
  /** Whether it is the adapter of the network of this name: most have one, files as many as there are graphs. */
  serves(network: string): boolean {
    return network === this.name;
  }
  /**
   * Whom a seed means: a person's id as the network writes it, a group's with a minus before it, a name after an @
   * where only the network knows whose it is; undefined when it can be nothing of these.
   */
  abstract subject(given: string): string | undefined;
  abstract methods(content: CallContent): Record<string, number>;
  abstract request(content: CallContent, token: Secret): NetworkRequest;
  abstract read(content: CallContent, status: number, body: string): Reading;
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
    return this.byName.get(name) ?? [...this.byName.values()].find((network) => network.serves(name));
  }

  /** Profiles in one call; 1 for a network that is not known here. */
  profilesPerCall(name: string): number {
    return this.find(name)?.packSizes.profiles.most ?? 1;
  }
}

/** The log of observations; resolves when all are stored by every replica that must have them. */
export abstract class ObservationLog {
  abstract publish(sighting: Sighting, observations: readonly Observation[]): Promise<LogPositions>;
}

/** Told of answers that are not as the network documents them: its API changed, or something on the way mangles it. */
export abstract class AnswerFaults {
  abstract note(network: string, kind: PackKind, path: string): void;
}

/** Who is known of a network. */
export abstract class PeopleOfNetwork {
  /**
   * Throws IMPORTS.REFRESH_READING (unavailable) while that takes longer than anybody waits; it goes on meanwhile.
   * `since` (monotonic ms): all that was published by then; absent: a reading that is under way will do.
   */
  abstract known(workspaceId: string, network: string, since?: number): Promise<KnownPeople>;
}

/** Lets time pass: seconds between tries of what is unavailable. Ends early, and without an error, when aborted. */
export abstract class Pause {
  abstract ms(duration: number, ended?: AbortSignal): Promise<void>;
}

/** How far the views have come that make an import readable: what ALL of them have applied. */
export abstract class ViewProgress {
  abstract reached(positions: LogPositions): boolean;
  /** Records below these positions that some view has not applied yet. */
  abstract behind(positions: LogPositions): number;
}

/** Friendships that were published and that the views do not show yet, of all workspaces; an estimate. */
export abstract class StoreBacklog {
  abstract edges(): Promise<number>;
}

/** Records of imports that the graph store could not take. */
export abstract class DeadRecords {
  /** Makes gaps of all that were there when it was called; throws `unavailable` when they cannot be read. */
  abstract sweep(): Promise<void>;
}

/** A task that was given up. */
export interface DeadCall {
  readonly id: string;
  readonly queue: string;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  /** What it asked for; undefined where it is no task of ours at all. */
  readonly task:
    { readonly callId: string; readonly importId: string; readonly workspaceId: string } | undefined;
}

export abstract class DeadCalls {
  /** The first ones, oldest first. */
  abstract list(limit: number): Promise<DeadCall[]>;
  /**
   * Puts dead calls back into their work queue after `prepare`, which may refuse by false; what it throws ends the run.
   * Returns how many went back.
   */
  abstract redrive(
    ids: readonly string[] | 'all',
    prepare: (call: DeadCall) => Promise<boolean>,
  ): Promise<number>;
}
