import {
  friendListObserved,
  mergePositions,
  type Positions,
  recordKey,
  userObserved,
} from '@sociograph/contracts';
import type { EventPublisher, OutgoingEvent } from '@sociograph/messaging';
import type { World } from './world';

export interface Scope {
  workspaceId: string;
  network: string;
}

const SOURCE = {
  importId: '01930f0e-7b1c-7000-8000-000000000001',
  callId: '01930f0e-7b1c-7000-8000-000000000003',
};
/** Records of one request while a world is loaded. */
const PER_REQUEST = 500;

/** Publishes what a network would have shown of a world, as the parser does. */
export class Observer {
  /** Behind the newest of all that was acknowledged. */
  positions: Positions = {};
  published = 0;
  #fence = 0;

  constructor(
    private readonly publisher: EventPublisher,
    private readonly scope: Scope,
    private readonly world: World,
  ) {}

  /** Everybody's document and list. */
  async showAll(): Promise<void> {
    const everybody = Array.from({ length: this.world.everybody }, (_, person) => person);
    for (let from = 0; from < everybody.length; from += PER_REQUEST) {
      const part = everybody.slice(from, from + PER_REQUEST);
      const lists = part.filter((person) => this.world.showsList(person)).map((person) => this.#list(person));
      await this.#publish([...part.map((person) => this.#document(person)), ...lists]);
    }
  }

  /** The lists of these people as they are now; resolves once the log has them, with the positions behind them. */
  show(people: readonly number[]): Promise<Positions> {
    return this.#publish(people.map((person) => this.#list(person)));
  }

  async #publish(events: OutgoingEvent[]): Promise<Positions> {
    const reached = await this.publisher.publish(events);
    // Read only now: another request may have come to its end meanwhile.
    this.positions = mergePositions(this.positions, reached);
    this.published += events.length;
    return reached;
  }

  #document(person: number): OutgoingEvent {
    const userId = this.world.idOf(person);
    const profile = { firstName: `Vera${person % 100}`, lastName: `Lind${person}` };
    return this.#event(userId, userObserved, { ...this.#head(userId), state: 'active', profile });
  }

  #list(person: number): OutgoingEvent {
    const userId = this.world.idOf(person);
    const friendIds = this.world.list(person);
    return this.#event(userId, friendListObserved, { ...this.#head(userId), outcome: 'complete', friendIds });
  }

  #event(userId: string, message: OutgoingEvent['message'], value: object): OutgoingEvent {
    const { workspaceId, network } = this.scope;
    return { message, key: recordKey(workspaceId, network, 'user', userId), value } as OutgoingEvent;
  }

  #head(userId: string) {
    return { ...this.scope, userId, observedAt: Date.now(), fence: (this.#fence += 1), source: SOURCE };
  }
}
