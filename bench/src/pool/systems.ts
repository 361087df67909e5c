export const PEERS = ['bottleneck', 'rate-limiter-flexible', 'bullmq'] as const;
export const TUNED = ['bottleneck-tuned', 'rate-limiter-flexible-tuned', 'bullmq-tuned'] as const;
export const SYSTEMS = ['ours', ...PEERS, ...TUNED] as const;

export type SystemName = (typeof SYSTEMS)[number];

/** As it stands in the table. */
export function titleOf(system: SystemName): string {
  return system.endsWith('-tuned') ? `${system.slice(0, -'-tuned'.length)}, hand-tuned` : system;
}
