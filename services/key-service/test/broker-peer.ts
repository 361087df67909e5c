import { randomUUID } from 'node:crypto';
import { LEASE_QUEUE } from '@sociograph/contracts';
import { type Channel, type ChannelModel, connect } from 'amqplib';

const DIRECT_REPLY = 'amq.rabbitmq.reply-to';
const WAIT_MS = 20_000;

/** A message that was meant for key-service. */
export interface Stolen {
  content: Buffer;
  replyTo: string;
  correlationId: string;
}

export interface Sent {
  /** The account that it claims to come from: that of the connection, unless told. */
  userId?: string;
  /** Where the answer goes: here, unless told. */
  replyTo?: string;
}

export interface Heard {
  content: Buffer;
  correlationId: string;
}

/** Somebody at the broker who says what they like to the lease queue, and hears all that comes to them. */
export class BrokerPeer {
  readonly heard: Heard[] = [];
  /** Why the broker ended the channel. */
  refusedWith: number | undefined;
  readonly #waiting = new Map<string, (answer: Buffer) => void>();

  private constructor(
    readonly account: string,
    private readonly connection: ChannelModel,
    private readonly channel: Channel,
  ) {}

  static async at(url: string): Promise<BrokerPeer> {
    const connection = await connect(url);
    connection.on('error', () => undefined);
    const channel = await connection.createChannel();
    const peer = new BrokerPeer(decodeURIComponent(new URL(url).username), connection, channel);
    channel.on('error', ({ code }: { code?: number }) => (peer.refusedWith = code));
    await channel.consume(
      DIRECT_REPLY,
      (message) => {
        if (message === null) return;
        const { content } = message;
        const correlationId = String(message.properties.correlationId);
        peer.heard.push({ content, correlationId });
        peer.#waiting.get(correlationId)?.(content);
      },
      { noAck: true },
    );
    return peer;
  }

  /** The answer as it came; throws when none came in 20 s. */
  async ask(content: Buffer, sent: Sent = {}): Promise<Buffer> {
    const correlationId = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        this.#waiting.set(correlationId, resolve);
        timer = setTimeout(() => reject(new Error('no answer came')), WAIT_MS);
        this.send(content, sent, correlationId);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(correlationId);
    }
  }

  /** Its correlation id. */
  send(
    content: Buffer,
    { userId = this.account, replyTo = DIRECT_REPLY }: Sent = {},
    correlationId: string = randomUUID(),
  ): string {
    this.channel.publish('', LEASE_QUEUE, content, { userId, replyTo, correlationId });
    return correlationId;
  }

  /** What came for one of these; in their order. */
  heardOf(ids: readonly string[]): Buffer[] {
    return ids.flatMap((id) =>
      this.heard.filter(({ correlationId }) => correlationId === id).map(({ content }) => content),
    );
  }

  /** Says something to whoever waits at a reply address. */
  answer({ replyTo, correlationId }: Stolen, content: Buffer): void {
    this.channel.publish('', replyTo, content, { correlationId });
  }

  /** Takes messages out of the lease queue beside key-service, in turn with it, until it is told to stop. */
  async steal(take: (stolen: Stolen) => void): Promise<() => Promise<void>> {
    const { consumerTag } = await this.channel.consume(
      LEASE_QUEUE,
      (message) => {
        if (message === null) return;
        const { replyTo, correlationId } = message.properties;
        take({ content: message.content, replyTo: String(replyTo), correlationId: String(correlationId) });
      },
      { noAck: true },
    );
    return async () => void (await this.channel.cancel(consumerTag));
  }

  async close(): Promise<void> {
    // Closed already where the broker refused something.
    await this.connection.close().catch(() => undefined);
  }
}
