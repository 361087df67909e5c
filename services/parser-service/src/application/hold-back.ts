import { StoreBacklog } from '../domain/ports';

/** Below so many edges that the views do not show yet nothing is ever held back (DESIGN 9). */
export const FREE_EDGES = 200_000;
/** Above so many nothing more is dispatched until the backlog is below the other figure: no flutter between the two. */
export const MOST_EDGES = 250_000;

/** Back-pressure: while the graph store is far behind what imports publish, no further call is dispatched. */
export class HoldBack {
  private holding = false;

  constructor(
    private readonly backlog: StoreBacklog,
    private readonly note: (edges: number, holding: boolean) => void = () => undefined,
  ) {}

  /** Whether dispatch waits. */
  async holds(): Promise<boolean> {
    const edges = await this.backlog.edges();
    this.holding = edges > (this.holding ? FREE_EDGES : MOST_EDGES);
    this.note(edges, this.holding);
    return this.holding;
  }
}
