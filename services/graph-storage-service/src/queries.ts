import type { Provider } from '@nestjs/common';
import type { connectArango } from '@sociograph/arango';
import type { HostContext } from '@sociograph/service-host';
import { DrawSurroundings } from './application/draw-surroundings';
import { FindMutualFriends } from './application/find-mutual-friends';
import { FindPath } from './application/find-path';
import { FindPeople } from './application/find-people';
import { ReadCommunities } from './application/read-communities';
import { GraphQueries } from './domain/ports';
import { ArangoCommunityQueries } from './infrastructure/arango-community-queries';
import { ArangoNeighbours } from './infrastructure/arango-neighbours';
import { ArangoPeopleSearch } from './infrastructure/arango-people-search';
import { GroupsController, PostsController } from './presentation/communities.controller';
import { PeopleListController } from './presentation/people-list.controller';
import { SubscriptionsController } from './presentation/subscriptions.controller';
import { WalksController } from './presentation/walks.controller';

export const QUERY_CONTROLLERS = [
  PeopleListController,
  WalksController,
  SubscriptionsController,
  GroupsController,
  PostsController,
];

/** The wiring of what is asked beyond one person: walks, lists of people, groups and posts. */
export function queryProviders({ clock }: HostContext, db: ReturnType<typeof connectArango>): Provider[] {
  const neighbours = new ArangoNeighbours(db);
  return [
    { provide: FindMutualFriends, useValue: new FindMutualFriends(neighbours, clock) },
    { provide: FindPath, useValue: new FindPath(neighbours, clock) },
    { provide: DrawSurroundings, useValue: new DrawSurroundings(neighbours, clock) },
    { provide: FindPeople, useValue: new FindPeople(new ArangoPeopleSearch(db)) },
    {
      provide: ReadCommunities,
      inject: [GraphQueries],
      useFactory: (people: GraphQueries) => new ReadCommunities(new ArangoCommunityQueries(db), people),
    },
  ];
}
