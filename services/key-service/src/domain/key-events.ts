export type KeyEventKind =
  | 'resting'
  | 'method-resting'
  | 'method-barred'
  | 'method-returned'
  | 'egress-barred'
  | 'egress-returned'
  | 'invalid'
  | 'refresh-needed'
  | 'circuit-open'
  | 'circuit-closed'
  | 'network-circuit-open'
  | 'network-circuit-closed'
  | 'foreign-use'
  | 'needs-owner';

/** What the reports of a settle changed about keys. */
export interface KeyEvent {
  keyId: string;
  kind: KeyEventKind;
  /** What the network said; 0 where it was not an answer. */
  code: number;
  forMs: number;
  /** Pool clock, ms: of what ends by itself. */
  untilAt?: number | undefined;
  /** Of an invalidation, and of what the owner is told. */
  reason?: string | undefined;
  method?: string | undefined;
  egress?: string | undefined;
  /** Of a token that another one is needed for. */
  tokenVersion?: number | undefined;
  /** Of the circuit of a network; `keyId` is then the key whose call decided it. */
  network?: string | undefined;
}
