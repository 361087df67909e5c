import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, Roles } from '@sociograph/auth';
import { decodeCursor, encodeCursor, type Page, PageQuery } from '@sociograph/service-host';
import { z } from 'zod';
import { MemberKeeper } from '../application/change-members';
import { memberUnknown } from '../domain/errors';
import { type Member, WORKSPACE_ROLES, type WorkspaceRole } from '../domain/members';
import { Workspaces } from '../domain/ports';
import { actOf, RolesBody, SubjectParam } from './bodies';
import { etag, IF_MATCH, type Reply, versionOf } from './versions';

const place = z.object({ after: z.string() });

export class MemberView {
  @ApiProperty({ description: "Keycloak's id of the account" }) subject!: string;
  @ApiProperty({ format: 'email' }) email!: string;
  @ApiProperty({ enum: WORKSPACE_ROLES, isArray: true }) roles!: readonly WorkspaceRole[];
  @ApiProperty({ type: 'integer' }) joinedAt!: number;
  @ApiProperty({
    description: 'The change is not in new tokens yet, because a server is away; older tokens are refused',
  })
  pending!: boolean;
}

export class MemberPage {
  @ApiProperty({ type: [MemberView] }) items!: MemberView[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

/** Accounts of the caller's workspace. One of another workspace answers as if it did not exist. */
@ApiTags('workspace')
@Controller('v1/workspace/members')
@Roles('admin')
export class MembersController {
  constructor(
    private readonly workspaces: Workspaces,
    private readonly keeper: MemberKeeper,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Members in the order of their ids' })
  @ApiResponse({ status: 200, type: MemberPage })
  async list(
    @Query() { limit, cursor }: PageQuery,
    @CurrentPrincipal() { workspaceId }: Principal,
  ): Promise<Page<MemberView>> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, place).after;
    const found = await this.workspaces.members(workspaceId, limit + 1, after);
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const next = found.length > limit && last !== undefined ? encodeCursor({ after: last.subject }) : null;
    return { items: items.map(viewOf), next };
  }

  @Get(':subject')
  @ApiOperation({ summary: 'One member' })
  @ApiResponse({ status: 200, type: MemberView })
  async read(
    @Param() { subject }: SubjectParam,
    @CurrentPrincipal() { workspaceId }: Principal,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<MemberView> {
    const member = await this.workspaces.find(workspaceId, subject);
    if (member === undefined) throw memberUnknown();
    return show(member, reply);
  }

  @Put(':subject/roles')
  @ApiOperation({ summary: 'Set the roles of a member; the tokens of before are refused within 5 s' })
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 200, type: MemberView })
  async setRoles(
    @Param() { subject }: SubjectParam,
    @Body() { roles }: RolesBody,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<MemberView> {
    const change = { kind: 'roles', roles } as const;
    const options = { version: versionOf(ifMatch), act: actOf(principal, 'member.set-roles') };
    return show(await this.keeper.change(principal.workspaceId, subject, change, options), reply);
  }

  @Delete(':subject')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a member; the tokens of before are refused within 5 s' })
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 204 })
  async remove(
    @Param() { subject }: SubjectParam,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    const options = { version: versionOf(ifMatch), act: actOf(principal, 'member.remove') };
    await this.keeper.change(principal.workspaceId, subject, { kind: 'out' }, options);
  }
}

function show(member: Member, reply: Reply): MemberView {
  reply.header('etag', etag(member.version));
  return viewOf(member);
}

export function viewOf({ subject, email, roles, joinedAt, pending }: Member): MemberView {
  return { subject, email, roles, joinedAt, pending };
}
