import { TOPICS, type Positions } from '@sociograph/contracts';
import { seededChance } from '@sociograph/testing';
import { Observer } from './observer';
import { World } from './world';

const LISTS = TOPICS.friendLists.name;

describe('Observer', () => {
  it('knows the positions of everything that was acknowledged, in whatever order the answers come', async () => {
    const answers: ((reached: Positions) => void)[] = [];
    const publish = (): Promise<Positions> => new Promise((resolve) => answers.push(resolve));
    const size = { people: 4, friends: 1, silent: 0, hermits: 0, hubs: 0, hubFriends: 0 };
    const world = new World(size, seededChance(1));
    const observer = new Observer({ publish } as never, { workspaceId: 'w', network: 'n' }, world);
    const shown = [observer.show([0]), observer.show([1])];
    answers[1]?.({ [LISTS]: { '1': 5 } });
    answers[0]?.({ [LISTS]: { '0': 3 } });
    await Promise.all(shown);
    expect(observer.positions).toEqual({ [LISTS]: { '0': 3, '1': 5 } });
    expect(observer.published).toBe(2);
  });
});
