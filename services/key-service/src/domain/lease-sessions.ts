/** An open lease session: who is at its other end, and its keys. */
export interface LeaseSession {
  id: string;
  service: string;
  instance: string;
  /** The broker account that opened it; every request must come from the same. */
  account: string;
  /** Address of the answers: another one is another connection, which has to open a session of its own. */
  replyTo: string;
  /** Wall clock, ms. */
  expiresAt: number;
  keys: { request: Buffer; reply: Buffer; seal: Buffer };
}

/** Sessions of workers; every instance of key-service knows them all. */
export abstract class LeaseSessions {
  abstract keep(session: LeaseSession): Promise<void>;
  abstract find(id: string): Promise<LeaseSession | undefined>;
  /** The session if this process knows it already: no waiting, for the path that every lease takes. */
  abstract held(id: string): LeaseSession | undefined;
  abstract end(id: string): Promise<void>;
}
