import { Clock, Ids, isDomainError } from '@sociograph/kernel';
import { networkMissing } from '../domain/errors';
import type { Item } from '../domain/items';
import type { Sighting } from '../domain/observation';
import { partsOf } from '../domain/packing';
import {
  AnswerFaults,
  type Call,
  type CallContent,
  CallLedger,
  KeyPool,
  type KeptAnswer,
  Networks,
  ObservationLog,
  Pause,
  type Reading,
  type SendOutcome,
  type SocialNetwork,
} from '../domain/ports';
import { LeaseForCall, type Turn } from './lease-for-call';
import { isPoison, outcomeOf } from './read-answer';

export type Performance = 'done' | 'split' | 'put-back' | 'not-wanted';

/** A call that got no key for so long goes back to the items, so that no message waits for a key (DESIGN 3.2). */
export const LEASE_PATIENCE_MS = 5_000;
/** An answer in hand is not thrown away because a server restarts: its storage is tried again for so long. */
export const STORE_PATIENCE_MS = 120_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;
/** A call that this process has taken. */
interface InHand {
  readonly performing: Promise<Performance>;
  readonly withdrawal: AbortController;
  /** Known once the call was looked up. */
  importId?: string;
  /** Something happened to imports while the call was looked up. */
  doubted: boolean;
}

/** By whom and when what a call brought was seen. */
type Seen = Pick<Sighting, 'keyId' | 'fence' | 'observedAt'>;

/** Makes one call: lease, send in the slot, settle, publish what was seen, then commit it in one transaction. */
export class PerformCall {
  private readonly inHand = new Map<string, InHand>();
  private readonly leases: LeaseForCall;
  private stopped = false;

  constructor(
    private readonly ledger: CallLedger,
    private readonly pool: KeyPool,
    private readonly networks: Networks,
    private readonly log: ObservationLog,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly pause: Pause,
    private readonly faults: AnswerFaults,
  ) {
    this.leases = new LeaseForCall(pool, clock, pause);
  }

  /** From now on calls that are not sent yet are put back; those on the wire are finished. */
  stop(): void {
    this.stopped = true;
    for (const { withdrawal } of this.inHand.values()) withdrawal.abort();
  }

  /**
   * The import was paused, cancelled or deleted: calls of it that are not sent yet go back, and so do their leases. Those
   * on the wire are finished.
   */
  withdraw(importId: string): void {
    for (const held of this.inHand.values()) {
      if (held.importId === importId) held.withdrawal.abort();
      else if (held.importId === undefined) held.doubted = true;
    }
  }

  /** What happened to imports is not known for a while: whoever is not sent yet looks whether it is wanted. */
  async doubt(): Promise<void> {
    await Promise.all(
      [...this.inHand].map(async ([callId, held]) => {
        held.doubted = true;
        if (held.importId !== undefined && (await this.ledger.find(callId))?.wanted === false)
          held.withdrawal.abort();
      }),
    );
  }

  /**
   * Safe to repeat: a call that is done, or whose import no longer runs, has no effect; one that this process has in
   * hand already (the broker gave it out again after a cut) is not made twice.
   */
  perform(callId: string): Promise<Performance> {
    const before = this.inHand.get(callId);
    if (before !== undefined) return before.performing;
    const held: Omit<InHand, 'performing'> = { withdrawal: new AbortController(), doubted: false };
    const performing = this.performOnce(callId, held).finally(() => this.inHand.delete(callId));
    this.inHand.set(callId, Object.assign(held, { performing }));
    return performing;
  }

  private async performOnce(callId: string, held: Omit<InHand, 'performing'>): Promise<Performance> {
    let call: Call | undefined;
    do {
      held.doubted = false;
      call = await this.ledger.find(callId);
    } while (held.doubted);
    if (call === undefined) return 'not-wanted';
    if (!call.wanted) {
      await this.ledger.putBack(callId, { holdMs: 0, refund: false }, call.importId);
      return 'not-wanted';
    }
    held.importId = call.importId;
    const network = this.networks.find(call.network);
    if (network === undefined) throw networkMissing(call.network);
    if (call.kept !== undefined) return this.storeKept(network, call, call.kept);
    if (this.stopped) held.withdrawal.abort();
    const turn: Turn = {
      network,
      call,
      content: contentOf(call),
      deadline: this.clock.monotonicMs() + LEASE_PATIENCE_MS,
      withdrawn: held.withdrawal.signal,
    };
    try {
      return await this.performIn(turn);
    } finally {
      turn.place?.leave();
    }
  }

  private async performIn(turn: Turn): Promise<Performance> {
    const { network, call, content, withdrawn } = turn;
    let begun: Promise<Item[]> | undefined;
    if (content.people.length === 0) {
      const items = await this.ledger.begin(call.callId);
      const nothing: Reading = { kind: 'read', outcomes: new Map(), errors: [], made: {} };
      return this.store(network, call, items, undefined, nothing);
    }
    for (;;) {
      const verdict = await this.leases.take(turn);
      if (verdict?.kind !== 'granted') {
        await begun;
        const holdMs = verdict?.kind === 'denied' ? verdict.retryInMs : 0;
        await this.ledger.putBack(call.callId, { holdMs, refund: begun !== undefined }, call.importId);
        return withdrawn.aborted && !this.stopped ? 'not-wanted' : 'put-back';
      }
      const { lease } = verdict;
      // Beside the send: a slot may begin 10 ms after the grant, a commit may take longer than that.
      begun ??= this.insist(() => this.ledger.begin(call.callId));
      // Awaited below, after the send; until then a failure must not count as one that nobody handles.
      begun.catch(() => undefined);
      const sent = await this.pool.send(lease, (token) => network.request(content, token), withdrawn);
      const reading = readingOf(network, content, sent);
      const settled = this.pool.settle(lease, sent, reading);
      if (sent.kind === 'missed') {
        // Nothing is under way: others may use the place until the next slot.
        turn.place?.leave();
        turn.place = undefined;
        await Promise.all([settled, begun]);
        continue;
      }
      const { keyId, fence } = lease;
      const seen = sent.kind === 'answered' ? { keyId, fence, observedAt: sent.observedAt } : undefined;
      if (sent.kind === 'answered' && reading.kind === 'read' && !network.isFree) {
        const { people, tries } = content;
        const { observedAt, status, body } = sent;
        void this.keep(turn, { people, tries, observedAt, status, body, keyId, fence });
      }
      const [performance] = await Promise.all([
        this.store(network, call, await begun, seen, reading),
        settled,
      ]);
      return performance;
    }
  }

  /**
   * Beside its storage: once an answer is kept nothing of it is asked for again, whoever dies, and its place is another
   * call's. One that cannot be kept holds its place until it is stored.
   */
  private async keep(turn: Turn, answer: KeptAnswer): Promise<void> {
    const isKept = await this.ledger.keep(turn.call.callId, answer).catch(() => false);
    if (isKept) turn.place?.leave();
  }

  /** What a process kept that died before it was stored. */
  private async storeKept(network: SocialNetwork, call: Call, kept: KeptAnswer): Promise<Performance> {
    const { people, tries, status, body, keyId, fence, observedAt } = kept;
    const items = await this.insist(() => this.ledger.begin(call.callId));
    const reading = network.read({ ...contentOf(call), people, tries }, status, body);
    return this.store(network, call, items, { keyId, fence, observedAt }, reading);
  }

  private async store(
    network: SocialNetwork,
    call: Call,
    items: readonly Item[],
    seen: Seen | undefined,
    reading: Reading,
  ): Promise<Performance> {
    if (items.length === 0) return 'not-wanted';
    const size = network.packSizes[call.kind];
    if (reading.kind === 'split' && call.people.length > 1) {
      const parts = partsOf(reading.why, call.splits, call.people.length);
      const ids = Array.from({ length: parts }, () => this.ids.next());
      const tooMuch = reading.why === 'too-much' ? size : undefined;
      await this.insist(() => this.ledger.split(call.callId, ids, tooMuch));
      return 'split';
    }
    if (reading.kind === 'read') this.noteFaults(call, reading);
    const { observations, ...result } = outcomeOf(
      call.kind,
      items,
      reading.kind === 'split' ? { ...reading, kind: 'failed', blame: 'item' } : reading,
    );
    const positions =
      seen === undefined || observations.length === 0
        ? {}
        : await this.insist(() => this.log.publish(sightingOf(call, seen), observations));
    const fitted = reading.kind === 'read' && seen !== undefined ? { fitted: size } : {};
    const finished = await this.insist(() =>
      this.ledger.finish(call.callId, { ...result, positions, ...fitted }, call.importId),
    );
    return finished ? 'done' : 'not-wanted';
  }

  private noteFaults(call: Call, { outcomes }: Extract<Reading, { kind: 'read' }>): void {
    for (const outcome of outcomes.values()) {
      if (outcome.kind === 'unreadable') this.faults.note(call.network, call.kind, outcome.fault);
    }
  }

  /** Repeats what is unavailable; publishing and finishing are both safe to repeat. */
  private async insist<T>(work: () => Promise<T>): Promise<T> {
    const deadline = this.clock.monotonicMs() + STORE_PATIENCE_MS;
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(LONGEST_RETRY_MS, wait * 2)) {
      try {
        return await work();
      } catch (error) {
        const hopeless = !isDomainError(error) || error.kind !== 'unavailable';
        if (hopeless || this.stopped || this.clock.monotonicMs() + wait >= deadline) throw error;
        await this.pause.ms(wait);
      }
    }
  }
}

function sightingOf({ workspaceId, network, importId, callId }: Call, seen: Seen): Sighting {
  return { workspaceId, network, importId, callId, ...seen };
}

/** What is to be sent: poison is not. */
function contentOf({ callId, kind, items, cursors, scope }: Call): CallContent {
  const sendable = items.filter((item) => !isPoison(item));
  const tries = Math.max(0, ...sendable.map(({ attempts }) => attempts));
  return { callId, kind, people: sendable.map(({ person }) => person), cursors, scope, tries };
}

/** A call that was not sent or not answered has nothing to read, but the pool is told all the same. */
function readingOf(network: SocialNetwork, content: CallContent, sent: SendOutcome): Reading {
  switch (sent.kind) {
    case 'answered':
      return network.read(content, sent.status, sent.body);
    case 'missed':
      return { kind: 'failed', blame: 'key', cause: 'not sent', errors: [], made: {} };
    case 'broken':
      return {
        kind: 'failed',
        blame: 'item',
        cause: sent.cause,
        errors: [],
        made: network.methods(content),
      };
  }
}
