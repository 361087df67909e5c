import type { IncomingHttpHeaders } from 'node:http';
import { Exchange, type ExchangeEnd } from './exchange';
import { type MissCause, type SlotFacts, slotVerdict, type SlotView } from './slot-verdict';
import { SlotTimer } from './slot-timer';
import { WarmConnections } from './warm-connections';

/** What the sender must know of the pool; LeaseClient has it. */
export interface SlotGuard {
  readonly clock: { now(): number };
  /** What decides about a slot of this key, read now. */
  view(keyId: string): SlotView;
}

export interface SlotSenderOptions {
  /** E.g. https://api.vk.ru/method ; paths of calls are appended to it. */
  baseUrl: string;
  client: SlotGuard;
  /** Connections opened at once and kept while there is work (4); more are opened as slots are planned. */
  connections?: number;
  monotonicMs?: () => number;
}

export interface SlotCall {
  path: string;
  headers?: Record<string, string>;
  body: string;
  timeoutMs: number;
  method?: 'POST' | 'GET';
}

/** When a request left, pool clock (ms). */
export interface SendStamps {
  /** In the tick before the write: may it still be sent? */
  checkedAt: number;
  /** After the write. */
  sentAt: number;
  /** The process was frozen between check and wire, or wrote after its slot: proven by the stamps. */
  late: boolean;
}

export type SlotAnswer<Body> = SendStamps & {
  kind: 'answered';
  /** When the whole answer was read. */
  answeredAt: number;
  status: number;
  headers: IncomingHttpHeaders;
  body: Body;
};

export type SendOutcomeOf<Body> =
  SlotAnswer<Body> | { kind: 'missed'; cause: MissCause } | (SendStamps & { kind: 'broken'; cause: string });

export type SendOutcome = SendOutcomeOf<string>;

/** Between check and wire there is one flush; more than this was a frozen process. */
const FROZEN_MS = 5;
/** What the write itself may take beyond the slot. */
const BEYOND_SLOT_MS = 2;
const CONNECTIONS = 4;

/**
 * Sends each request in its slot or not at all: the limits are checked in the tick in which the socket is written,
 * over a connection that was opened before. Nothing is ever repeated: after `missed` or `broken` a call needs a new
 * lease. A process frozen between check and write is not stopped by this; the stamps show it.
 */
export class SlotSender {
  readonly #base: URL;
  readonly #path: string;
  readonly #client: SlotGuard;
  readonly #connections: WarmConnections;
  readonly #timer: SlotTimer;
  readonly #now: () => number;

  constructor(options: SlotSenderOptions) {
    const { client, monotonicMs = () => performance.now() } = options;
    this.#base = new URL(options.baseUrl);
    this.#path = this.#base.pathname.replace(/\/$/, '');
    this.#client = client;
    this.#now = () => client.clock.now();
    this.#connections = connectionsTo(this.#base, monotonicMs);
    this.#timer = new SlotTimer(this.#now);
    this.warm(options.connections ?? CONNECTIONS);
  }

  /** Opens connections for slots that may come soon. */
  warm(connections = 0): void {
    this.#connections.warm(connections);
  }

  async send(slot: SlotFacts, call: SlotCall, withdrawn?: AbortSignal): Promise<SendOutcome> {
    const outcome = await this.sendForBytes(slot, call, withdrawn);
    return outcome.kind === 'answered'
      ? { ...outcome, body: Buffer.from(outcome.body.buffer).toString('utf8') }
      : outcome;
  }

  /**
   * As `send`; the body as it came, in a buffer of its own. A call that is withdrawn before its slot is not sent, and
   * that is known at once; later it is too late for that.
   */
  sendForBytes(
    slot: SlotFacts,
    call: SlotCall,
    withdrawn?: AbortSignal,
  ): Promise<SendOutcomeOf<Uint8Array<ArrayBuffer>>> {
    if (withdrawn?.aborted === true) return Promise.resolve({ kind: 'missed', cause: 'withdrawn' });
    this.#connections.expect();
    return new Promise((resolve) => {
      let exchange: Exchange | undefined;
      let isOver = false;
      const miss = (cause: MissCause): void => {
        exchange?.drop();
        resolve({ kind: 'missed', cause });
      };
      const end = (): void => {
        isOver = true;
        this.#connections.expected();
        withdrawn?.removeEventListener('abort', withdraw);
      };
      const withdraw = (): void => {
        end();
        miss('withdrawn');
      };
      withdrawn?.addEventListener('abort', withdraw);
      const plan = (): void =>
        this.#timer.at(slot.notBefore, {
          ready: () => {
            if (!isOver) exchange ??= this.#prepare(slot, call);
          },
          fire: () => {
            if (isOver) return;
            const verdict = this.#verdictOf(slot);
            // The mapping of the pool's clock moved back a little since the timer fired.
            if (verdict === 'wait') return plan();
            end();
            if (verdict === 'send') return resolve(this.#write(slot, call, exchange));
            miss(verdict);
          },
        });
      plan();
    });
  }

  close(): void {
    this.#connections.destroy();
  }

  async #write(
    slot: SlotFacts,
    call: SlotCall,
    ready: Exchange | undefined,
  ): Promise<SendOutcomeOf<Uint8Array<ArrayBuffer>>> {
    const exchange = ready ?? this.#prepare(slot, call);
    if (exchange === undefined) return { kind: 'missed', cause: 'no-connection' };
    let cause: MissCause = 'no-connection';
    const end = await exchange.write(() => {
      const verdict = this.#verdictOf(slot);
      // `wait` after `send` a moment ago is the clock's mapping, not the time.
      if (verdict === 'send' || verdict === 'wait') return true;
      cause = verdict;
      return false;
    });
    return outcomeOf(end, slot, cause);
  }

  #verdictOf(slot: SlotFacts): ReturnType<typeof slotVerdict> {
    return slotVerdict(slot, this.#client.view(slot.lease.keyId));
  }

  /** On an open connection; undefined while none is free or when the slot is lost already. */
  #prepare(slot: SlotFacts, call: SlotCall): Exchange | undefined {
    const verdict = this.#verdictOf(slot);
    const socket = verdict === 'wait' || verdict === 'send' ? this.#connections.take() : undefined;
    if (socket === undefined) return undefined;
    const request = {
      method: call.method ?? 'POST',
      path: `${this.#path}/${call.path.replace(/^\//, '')}`,
      headers: { host: this.#base.host, 'content-length': Buffer.byteLength(call.body), ...call.headers },
      body: call.body,
      timeoutMs: call.timeoutMs,
    };
    const exchange = new Exchange(this.#connections, request, this.#now);
    exchange.attach(socket);
    return exchange;
  }
}

/** Warm connections to the host of a URL. */
export function connectionsTo(url: URL, monotonicMs: () => number): WarmConnections {
  const tls = url.protocol === 'https:';
  const port = Number(url.port || (tls ? 443 : 80));
  return new WarmConnections({ host: url.hostname, port, tls, monotonicMs });
}

function outcomeOf(
  end: ExchangeEnd,
  slot: SlotFacts,
  cause: MissCause,
): SendOutcomeOf<Uint8Array<ArrayBuffer>> {
  if (end.kind === 'unwritten') return { kind: 'missed', cause };
  const { checkedAt, sentAt } = end;
  const stamps = {
    checkedAt,
    sentAt,
    late: sentAt - checkedAt > FROZEN_MS || sentAt > slot.notAfter + BEYOND_SLOT_MS,
  };
  if (end.kind === 'broken') return { kind: 'broken', ...stamps, cause: end.cause };
  const { answeredAt, status, headers, bytes } = end;
  return { kind: 'answered', ...stamps, answeredAt, status, headers, body: bytes };
}
