import { Controller, Get, Param, Query } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiProperty,
  ApiPropertyOptional,
  ApiQuery,
  ApiTags,
} from '@nestjs/swagger';
import type { Principal } from '@sociograph/auth';
import { CurrentPrincipal, Roles } from '@sociograph/auth';
import { IsOptional, Matches, MaxLength } from 'class-validator';
import type { Fresh } from '../projections/fresh-answers';
import { NAMED_GROUPS, type Profile } from '../projections/profile';
import { ReadViews } from '../projections/read-views';
import type { PostRow, SummaryRow } from '../projections/ports';

const NETWORK = /^[a-z][a-z0-9-]{0,31}$/;
const PERSON = /^[A-Za-z0-9_-]{1,64}$/;

export class NetworkParam {
  @Matches(NETWORK, { message: 'must be the name of a network' })
  network!: string;
}

class PersonParam extends NetworkParam {
  @Matches(PERSON, { message: 'must be 1 to 64 letters, digits, hyphens or underscores' })
  id!: string;
}

export class PositionQuery {
  @IsOptional()
  @MaxLength(8192, { message: 'is not a position token' })
  'min-position'?: string;
}

export class FreshnessAnswer {
  @ApiProperty({ description: 'Positions that the answer includes at least; a token for `min-position`' })
  appliedUpTo!: string;

  @ApiProperty({ format: 'date-time', description: 'When the view had them' })
  at!: string;
}

class ComponentsAnswer {
  @ApiProperty({ type: 'integer', description: 'Connected components' }) count!: number;
  @ApiProperty({ type: 'integer', description: 'People in the largest one' }) largest!: number;
}

class DegreeAnswer {
  @ApiProperty({ type: 'integer' }) degree!: number;
  @ApiProperty({ type: 'integer', description: 'People who have it' }) users!: number;
}

class SummaryAnswer {
  @ApiProperty() network!: string;
  @ApiProperty({ type: 'integer' }) users!: number;
  @ApiProperty({ type: 'integer' }) friendships!: number;
  @ApiProperty({ type: 'integer', description: 'T: every triangle once' }) triangles!: number;
  @ApiProperty({ type: 'integer', description: 'W: paths of length two' }) wedges!: number;
  @ApiProperty({ description: 'Mean local clustering over all people' }) averageClustering!: number;
  @ApiProperty({ description: '3T / W' }) transitivity!: number;
  @ApiProperty({ description: "SNAP's fraction: T / (W - 2T)" }) closedTriangleFraction!: number;
  @ApiProperty() components!: ComponentsAnswer;
  @ApiProperty({ type: [DegreeAnswer], description: 'Ascending by degree' })
  degreeDistribution!: DegreeAnswer[];
  @ApiProperty() freshness!: FreshnessAnswer;
}

class NamedGroupAnswer {
  @ApiProperty() id!: string;
  @ApiPropertyOptional({ description: 'Where the group itself was imported' }) name?: string;
  @ApiPropertyOptional({ enum: ['group', 'page', 'event'] }) kind?: string;
}

class GroupListAnswer {
  @ApiProperty({ type: 'integer' }) total!: number;
  @ApiProperty({ type: [NamedGroupAnswer], description: 'The first fifty, in a stable order' })
  first!: NamedGroupAnswer[];
}

class FollowsAnswer {
  @ApiProperty({ type: 'integer' }) total!: number;
  @ApiProperty({ type: [String], description: 'The first hundred people' }) first!: string[];
}

export class PostAnswer {
  @ApiProperty({ example: '107_17' }) id!: string;
  @ApiProperty({ format: 'date-time' }) publishedAt!: string;
  @ApiProperty({ description: 'Its first 2,000 characters' }) text!: string;
  @ApiPropertyOptional({ type: 'integer' }) likes?: number;
  @ApiPropertyOptional({ type: 'integer' }) reposts?: number;
  @ApiPropertyOptional({ type: 'integer' }) comments?: number;
  @ApiPropertyOptional({ type: 'integer' }) views?: number;
}

class ProfileAnswer {
  @ApiProperty() network!: string;
  @ApiProperty() id!: string;
  @ApiProperty({ enum: ['active', 'deleted', 'banned'] }) state!: string;
  @ApiProperty({ type: 'object', additionalProperties: true }) profile!: Record<string, unknown>;
  @ApiProperty({ format: 'date-time', description: 'When the network showed this profile' })
  observedAt!: string;
  @ApiProperty({ type: 'integer' }) degree!: number;
  @ApiProperty({ type: 'integer' }) triangles!: number;
  @ApiProperty({ description: '2t / (d(d-1)); 0 when d < 2' }) localClustering!: number;
  @ApiProperty({ description: 'That the person shows to belong to' }) groups!: GroupListAnswer;
  @ApiProperty({ description: 'That the person follows' }) pages!: GroupListAnswer;
  @ApiProperty({ description: 'People that the person follows' }) follows!: FollowsAnswer;
  @ApiProperty({ type: [PostAnswer], description: 'The newest five on the wall, newest first' })
  lastPosts!: PostAnswer[];
  @ApiProperty() freshness!: FreshnessAnswer;
}

export const MIN_POSITION = {
  name: 'min-position',
  required: false,
  description: 'Answer only once the view includes this position; waits up to 5 s, then 503',
} as const;

@ApiTags('views')
@Controller('v1')
export class ViewsController {
  constructor(private readonly views: ReadViews) {}

  @Get('graphs/:network/summary')
  @Roles('viewer', 'analyst', 'operator', 'admin')
  @ApiOperation({ summary: 'Figures of the whole graph of one network' })
  @ApiParam({ name: 'network', example: 'vk' })
  @ApiQuery(MIN_POSITION)
  @ApiOkResponse({ type: SummaryAnswer })
  async summary(
    @CurrentPrincipal() principal: Principal,
    @Param() { network }: NetworkParam,
    @Query() query: PositionQuery,
  ): Promise<SummaryAnswer> {
    return summaryAnswer(await this.views.summary(principal.workspaceId, network, query['min-position']));
  }

  @Get('profiles/:network/:id')
  @Roles('viewer', 'analyst', 'operator', 'admin')
  @ApiOperation({ summary: 'One person with their figures in the graph' })
  @ApiParam({ name: 'network', example: 'vk' })
  @ApiParam({ name: 'id', example: '107' })
  @ApiQuery(MIN_POSITION)
  @ApiOkResponse({ type: ProfileAnswer })
  async profile(
    @CurrentPrincipal() principal: Principal,
    @Param() { network, id }: PersonParam,
    @Query() query: PositionQuery,
  ): Promise<ProfileAnswer> {
    return profileAnswer(await this.views.profile(principal.workspaceId, network, id, query['min-position']));
  }
}

function summaryAnswer({ row, freshness }: Fresh<SummaryRow>): SummaryAnswer {
  return {
    network: row.network,
    users: row.users,
    friendships: row.friendships,
    triangles: row.triangles,
    wedges: row.wedges,
    averageClustering: row.averageClustering,
    transitivity: row.transitivity,
    closedTriangleFraction: row.closedTriangleFraction,
    components: { count: row.components, largest: row.largestComponent },
    degreeDistribution: row.degreeDistribution.map(([degree, users]) => ({ degree, users })),
    freshness: freshnessAnswer(freshness),
  };
}

function profileAnswer({ row: { row, groups, lastPosts }, freshness }: Fresh<Profile>): ProfileAnswer {
  const named = new Map(groups.map(({ id, profile }) => [id, profile]));
  const listOf = (list: { ids: string[]; total: number } | undefined): GroupListAnswer => ({
    total: list?.total ?? 0,
    first: (list?.ids ?? []).slice(0, NAMED_GROUPS).map((id) => {
      const { name, kind } = named.get(id) ?? {};
      return { id, ...(name !== undefined && { name }), ...(kind !== undefined && { kind }) };
    }),
  });
  return {
    network: row.network,
    id: row.id,
    state: row.state,
    profile: row.profile,
    observedAt: new Date(row.observedAt).toISOString(),
    degree: row.degree,
    triangles: row.triangles,
    localClustering: row.localClustering,
    groups: listOf(row.lists.groups),
    pages: listOf(row.lists.pages),
    follows: { total: row.lists.follows?.total ?? 0, first: row.lists.follows?.ids ?? [] },
    lastPosts: lastPosts.map(postAnswer),
    freshness: freshnessAnswer(freshness),
  };
}

export function postAnswer({ id, content }: PostRow): PostAnswer {
  const { publishedAt, text, likes, reposts, comments, views } = content;
  return {
    id,
    publishedAt: new Date(publishedAt).toISOString(),
    text,
    ...(likes !== undefined && { likes }),
    ...(reposts !== undefined && { reposts }),
    ...(comments !== undefined && { comments }),
    ...(views !== undefined && { views }),
  };
}

export function freshnessAnswer({ appliedUpTo, at }: Fresh<unknown>['freshness']): FreshnessAnswer {
  return { appliedUpTo, at: new Date(at).toISOString() };
}
