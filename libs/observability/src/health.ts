import { SystemClock, type Clock } from '@sociograph/kernel';

export type CheckState = 'up' | 'degraded';

export interface HealthReport {
  status: 'starting' | 'up' | 'degraded' | 'stopping';
  started: boolean;
  /** False when a component that must keep beating has gone quiet. */
  live: boolean;
  checks: Record<string, CheckState>;
  /** Milliseconds since the last beat of each component. */
  beats: Record<string, number>;
}

interface Beat {
  atMs: number;
  maxAgeMs: number;
}

const CHECK_LIMIT_MS = 2000;

/**
 * What a process knows of its own health. Readiness never depends on a shared server: when that is down every
 * instance would leave the balancer at once, so a failing check makes the answer `degraded`, not `down` (DESIGN 9).
 */
export class Health {
  private started = false;
  private stopping = false;
  private readonly checks = new Map<string, () => Promise<CheckState>>();
  private readonly beats = new Map<string, Beat>();

  constructor(private readonly clock: Clock = new SystemClock()) {}

  /** Says that the start is over (or, with false, not yet). */
  startup(ok: boolean): void {
    this.started = ok;
  }

  /** Says that the process is going away: from now on it is not ready. */
  stop(): void {
    this.stopping = true;
  }

  /** A sign of life of a loop; the process counts as dead when none follows for `maxAgeMs`. */
  beat(component: string, maxAgeMs = 10_000): void {
    this.beats.set(component, { atMs: this.clock.monotonicMs(), maxAgeMs });
  }

  /** The loop has ended on purpose and owes no further beats. */
  rest(component: string): void {
    this.beats.delete(component);
  }

  /** Registers a dependency; a rejection or no answer within 2 s counts as `degraded`. */
  check(name: string, probe: () => Promise<CheckState>): void {
    this.checks.set(name, probe);
  }

  isStarted(): boolean {
    return this.started;
  }

  isStopping(): boolean {
    return this.stopping;
  }

  isReady(): boolean {
    return this.started && !this.stopping;
  }

  isLive(): boolean {
    const now = this.clock.monotonicMs();
    return [...this.beats.values()].every((beat) => now - beat.atMs <= beat.maxAgeMs);
  }

  async report(): Promise<HealthReport> {
    const states = await Promise.all(
      [...this.checks].map(async ([name, probe]) => [name, await withinLimit(probe)] as const),
    );
    const now = this.clock.monotonicMs();
    const degraded = states.some(([, state]) => state === 'degraded');
    const running = this.started ? (degraded ? 'degraded' : 'up') : 'starting';
    return {
      status: this.stopping ? 'stopping' : running,
      started: this.started,
      live: this.isLive(),
      checks: Object.fromEntries(states),
      beats: Object.fromEntries([...this.beats].map(([name, beat]) => [name, Math.round(now - beat.atMs)])),
    };
  }
}

async function withinLimit(probe: () => Promise<CheckState>): Promise<CheckState> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<CheckState>((resolve) => {
    timer = setTimeout(() => resolve('degraded'), CHECK_LIMIT_MS);
  });
  try {
    return await Promise.race([probe(), limit]);
  } catch {
    return 'degraded';
  } finally {
    clearTimeout(timer);
  }
}
