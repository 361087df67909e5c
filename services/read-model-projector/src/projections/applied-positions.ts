import type { Positions } from '@sociograph/contracts';
import { mergePositions, TOPICS } from '@sociograph/contracts';

/** How far graph.changes was taken in, and with it which positions of the social topics are in the views. */
export class AppliedPositions {
  private readonly reached = new Map<number, Positions>();
  private readonly advanced = new Set<number>();
  /** All partitions together; counted when it is asked for. */
  private merged: Positions | undefined;

  /** Notes one record of graph.changes as applied in memory. */
  note(partition: number, offset: number, source: Positions = {}): void {
    const here: Positions = { [TOPICS.graphChanges.name]: { [partition]: offset + 1 } };
    const known = this.reached.get(partition) ?? {};
    this.reached.set(partition, mergePositions(mergePositions(known, here), source));
    this.advanced.add(partition);
    this.merged = undefined;
  }

  /** Goes on from what a checkpoint covers; it is announced again. */
  resume(partition: number, positions: Positions): void {
    this.reached.set(partition, positions);
    this.advanced.add(partition);
    this.merged = undefined;
  }

  /** The next offset of graph.changes in this partition; 0 before its first record. */
  offsetOf(partition: number): number {
    return this.reached.get(partition)?.[TOPICS.graphChanges.name]?.[String(partition)] ?? 0;
  }

  /** What is covered, by partition, ascending. */
  all(): { partition: number; positions: Positions }[] {
    return [...this.reached.keys()]
      .sort((a, b) => a - b)
      .map((partition) => ({ partition, positions: this.reached.get(partition)! }));
  }

  /** What is covered, over all partitions. */
  whole(): Positions {
    this.merged ??= [...this.reached.values()].reduce<Positions>(mergePositions, {});
    return this.merged;
  }

  get hasAdvanced(): boolean {
    return this.advanced.size > 0;
  }

  /** Partitions that advanced since the last call, ascending, each with all its positions. */
  takeAdvanced(): { partition: number; positions: Positions }[] {
    const partitions = [...this.advanced].sort((a, b) => a - b);
    this.advanced.clear();
    return partitions.map((partition) => ({ partition, positions: this.reached.get(partition)! }));
  }

  /** Makes partitions pending again, when announcing them failed. */
  restore(taken: readonly { partition: number }[]): void {
    for (const { partition } of taken) this.advanced.add(partition);
  }
}
