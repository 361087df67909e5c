import { PassThrough, type Readable } from 'node:stream';
import { type EndOfToken, type TokenLife, watchToken } from '@sociograph/auth';
import type { FeedEvent, FeedListener } from '../projections/event-feed';

const COMMENT_EVERY_MS = 15_000;
/** A client that takes nothing for so long is let go; it resumes where it was. */
const PATIENCE_MS = 60_000;
/** Unread bytes beyond which the log is not read on. */
const UNREAD_BYTES = 256 * 1024;

/**
 * Events as Server-Sent Events (DESIGN 8): the id of each is the cursor after it, a comment every 15 s, and at the end an
 * event `end` that says why, without an id. A client that reads slowly holds up its own reading of the log, nothing else.
 */
export class EventFeedStream implements FeedListener {
  private readonly stream = new PassThrough({ highWaterMark: UNREAD_BYTES });
  private readonly timers: NodeJS.Timeout[] = [];
  /** Goes on with the reading of the log, which waits for room. */
  private readonly waiting = new Set<() => void>();

  constructor(token: TokenLife | undefined, now: number) {
    this.timers.push(setInterval(() => this.write(': still here\n\n'), COMMENT_EVERY_MS).unref());
    const unwatch = token && watchToken(token, now, (reason) => this.end(reason));
    this.stream.on('close', () => {
      this.timers.forEach((timer) => clearTimeout(timer));
      unwatch?.();
    });
    this.write("retry: 1000\n: a workspace's events\n\n");
  }

  get readable(): Readable {
    return this.stream;
  }

  /** Called once, when nobody reads or writes any more. */
  onClosed(fn: () => void): void {
    if (this.stream.closed) fn();
    else this.stream.once('close', fn);
  }

  async next(event: FeedEvent): Promise<void> {
    const name = event.type.replace(/\.v\d+$/, '');
    const roomy = this.write(`id: ${event.cursor}\nevent: ${name}\ndata: ${JSON.stringify(event)}\n\n`);
    if (roomy) return;
    await new Promise<void>((resolve) => {
      const patience = setTimeout(() => this.stream.destroy(), PATIENCE_MS).unref();
      const goOn = (): void => {
        clearTimeout(patience);
        this.waiting.delete(goOn);
        this.stream.off('drain', goOn);
        this.stream.off('close', goOn);
        resolve();
      };
      this.waiting.add(goOn);
      this.stream.on('drain', goOn);
      this.stream.on('close', goOn);
    });
  }

  end(reason: 'shutting-down' | EndOfToken): void {
    this.write(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
    this.stream.end();
    for (const goOn of this.waiting) goOn();
    // Nobody waits for room any more, so nobody else would let go a client that reads nothing.
    this.timers.push(setTimeout(() => this.stream.destroy(), PATIENCE_MS).unref());
  }

  /** False when whoever writes should wait. */
  private write(text: string): boolean {
    if (this.stream.writableEnded || this.stream.destroyed) return true;
    return this.stream.write(text);
  }
}
