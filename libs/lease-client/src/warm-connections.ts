import { Agent, type ClientRequest } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** A connection set aside for one slot: open already, or being opened since the slot was planned. */
export interface Reserved {
  readonly socket: Socket;
  isOpen(): boolean;
}

interface Held {
  socket: Socket;
  open: boolean;
  idleSince: number;
}

export interface WarmConnectionsOptions {
  host: string;
  port: number;
  tls: boolean;
  /** Idle connections older than this are not used (ms, 4,000): servers close theirs after 5 s, Node's default. */
  maxIdleMs?: number;
  monotonicMs: () => number;
}

/**
 * Connections opened before they are needed, Nagle off. As an Agent it hands each request the one connection that
 * was reserved for it and never opens one by itself, so that no request waits for a handshake or is repeated.
 */
export class WarmConnections extends Agent {
  readonly #options: WarmConnectionsOptions;
  readonly #idle: Held[] = [];
  readonly #all = new Set<Held>();
  #closed = false;

  constructor(options: WarmConnectionsOptions) {
    super({ keepAlive: true });
    this.#options = options;
  }

  /** Opens connections until `count` are idle or being opened. */
  warm(count: number): void {
    for (let missing = count - this.#idle.length; missing > 0; missing -= 1) this.#release(this.#open());
  }

  /** The freshest idle connection, or a new one that may be open by the time of the slot. */
  reserve(): Reserved {
    const now = this.#options.monotonicMs();
    const maxIdle = this.#options.maxIdleMs ?? 4_000;
    let held = this.#idle.pop();
    while (held !== undefined && (held.socket.destroyed || (held.open && now - held.idleSince > maxIdle))) {
      held.socket.destroy();
      held = this.#idle.pop();
    }
    const taken = held ?? this.#open();
    return {
      socket: taken.socket,
      isOpen: () => taken.open && !taken.socket.destroyed && taken.socket.writable,
    };
  }

  /** Gives back a reserved connection that was not written to. */
  giveBack(reserved: Reserved): void {
    reserved.socket.emit('free');
  }

  /** Called by `http.request` with the options given there: `reserved` is ours. */
  addRequest(request: ClientRequest, options: { reserved: Reserved }): void {
    request.onSocket(options.reserved.socket);
  }

  override destroy(): void {
    this.#closed = true;
    for (const held of this.#all) held.socket.destroy();
    super.destroy();
  }

  #open(): Held {
    const { host, port, tls } = this.#options;
    const socket = tls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
    socket.setNoDelay(true);
    const held: Held = { socket, open: false, idleSince: 0 };
    this.#all.add(held);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      held.open = true;
      held.idleSince = this.#options.monotonicMs();
    });
    // Errors of a connection in use reach its request; those of an idle one only end it.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#forget(held));
    socket.on('free', () => this.#release(held));
    return held;
  }

  #release(held: Held): void {
    if (this.#closed || held.socket.destroyed) {
      held.socket.destroy();
      return;
    }
    held.idleSince = this.#options.monotonicMs();
    if (!this.#idle.includes(held)) this.#idle.push(held);
  }

  #forget(held: Held): void {
    this.#all.delete(held);
    const index = this.#idle.indexOf(held);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}
