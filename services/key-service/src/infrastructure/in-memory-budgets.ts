import { spanOf } from '../domain/limits';
import { BudgetBlocks } from '../domain/budget-blocks';

interface KeptBlock {
  id: string;
  bucket: string;
  limit: string;
  size: number;
  epoch: number;
  bookedAt: number;
  closedAt: number | undefined;
}

/** Budget blocks for as long as the process lives; `now` in ms. */
export class InMemoryBudgetBlocks extends BudgetBlocks {
  readonly kept: KeptBlock[] = [];

  constructor(private readonly now: () => number) {
    super();
  }

  async book(request: Parameters<BudgetBlocks['book']>[0]): ReturnType<BudgetBlocks['book']> {
    const { bucket, limit, calls, size, epoch, known, left } = request;
    const ofLimit = this.kept.filter((block) => block.bucket === bucket && block.limit === limit);
    for (const block of ofLimit) if (block.epoch < epoch) block.closedAt ??= this.now();
    const isOpen = (block: KeptBlock) => block.closedAt === undefined && !known.includes(block.id);
    if (ofLimit.some((block) => isOpen(block) && block.bookedAt > this.now() - 10_000))
      return { kind: 'elsewhere' };
    const counted = ofLimit.filter((block) => this.#counts(block));
    const granted = Math.min(size, calls - counted.reduce((sum, block) => sum + block.size, 0));
    if (granted < 1) {
      const closed = counted.flatMap(({ closedAt }) => (closedAt === undefined ? [] : [closedAt]));
      const closing = this.now() + Math.min(33_000, spanOf(limit) / 20);
      const leavesInMs = Math.min(...closed, closing) - this.now() + spanOf(limit) + 5_000;
      const retryInMs = left > 0 ? Math.min(leavesInMs, spanOf(limit) / 100) : leavesInMs;
      return { kind: 'spent', retryInMs: Math.max(1_000, retryInMs) };
    }
    const id = `block-${this.kept.length + 1}`;
    this.kept.push({ id, bucket, limit, size: granted, epoch, bookedAt: this.now(), closedAt: undefined });
    return { kind: 'booked', id, size: granted };
  }

  async close(blocks: readonly { id: string; left: number }[]): Promise<void> {
    for (const { id, left } of blocks) {
      const block = this.kept.find((known) => known.id === id && known.closedAt === undefined);
      if (block === undefined) continue;
      block.size = Math.max(0, block.size - left);
      block.closedAt = this.now();
    }
  }

  async closeLost(epoch: number): Promise<number> {
    const lost = this.kept.filter((block) => block.closedAt === undefined && block.epoch < epoch);
    for (const block of lost) block.closedAt = this.now();
    return lost.length;
  }

  async open(epoch: number): Promise<{ id: string; bucket: string; ageMs: number }[]> {
    return this.kept
      .filter((block) => block.closedAt === undefined && block.epoch === epoch)
      .map(({ id, bucket, bookedAt }) => ({ id, bucket, ageMs: this.now() - bookedAt }));
  }

  async taken(bucket: string): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const block of this.kept) {
      if (block.bucket !== bucket || !this.#counts(block)) continue;
      found.set(block.limit, (found.get(block.limit) ?? 0) + block.size);
    }
    return found;
  }

  #counts({ closedAt, limit }: KeptBlock): boolean {
    return closedAt === undefined || closedAt > this.now() - spanOf(limit) - 5_000;
  }
}
