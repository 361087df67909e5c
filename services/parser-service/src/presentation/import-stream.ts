import { PassThrough, type Readable } from 'node:stream';
import { type EndOfToken, type TokenLife, watchToken } from '@sociograph/auth';
import type { EndOfStream, Follower, Progress } from '../application/follow-imports';
import { progressAnswer } from './import-shapes';

const COMMENT_EVERY_MS = 15_000;
/** A client that takes nothing is let go; it resumes where it was. */
const MOST_UNREAD_BYTES = 1_048_576;
/** Below it there is room for one more portion of what a client missed. */
const READY_BELOW_BYTES = 262_144;

/**
 * One stream of Server-Sent Events (DESIGN 8): events with ids, a comment every 15 s, and at the end an event `end`
 * that says why, without an id, so that a client that comes back asks for what followed its last event.
 */
export class ImportStream implements Follower {
  private readonly stream = new PassThrough();

  constructor(
    private readonly importId: string,
    token: TokenLife | undefined,
    now: number,
  ) {
    const comments = setInterval(() => this.write(': still here\n\n'), COMMENT_EVERY_MS).unref();
    const unwatch = token && watchToken(token, now, (reason) => this.end(reason));
    this.stream.on('close', () => {
      clearInterval(comments);
      unwatch?.();
    });
    this.write('retry: 1000\n: events of an import\n\n');
  }

  get readable(): Readable {
    return this.stream;
  }

  get ready(): boolean {
    return this.unreadBytes < READY_BELOW_BYTES;
  }

  /** Called once, when nobody reads or writes any more. */
  onClosed(fn: () => void): void {
    this.stream.once('close', fn);
  }

  next(progress: Progress): void {
    const { mark, isStep } = progress;
    const body = JSON.stringify(progressAnswer(this.importId, progress));
    this.write(`id: ${mark.seq}\nevent: ${isStep ? 'state' : 'progress'}\ndata: ${body}\n\n`);
  }

  end(reason: EndOfStream | EndOfToken): void {
    this.write(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
    this.stream.end();
  }

  private write(text: string): void {
    if (this.stream.writableEnded || this.stream.destroyed) return;
    if (this.unreadBytes > MOST_UNREAD_BYTES) this.stream.destroy();
    else this.stream.write(text);
  }

  private get unreadBytes(): number {
    return this.stream.writableLength + this.stream.readableLength;
  }
}
