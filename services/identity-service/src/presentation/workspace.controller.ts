import { Body, Controller, Get, Headers, HttpCode, Patch, Post, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, Roles } from '@sociograph/auth';
import { Clock } from '@sociograph/kernel';
import { MemberKeeper } from '../application/change-members';
import { Workspaces } from '../domain/ports';
import { actOf, RenameBody } from './bodies';
import { etag, IF_MATCH, type Reply, versionOf } from './versions';

export class WorkspaceView {
  @ApiProperty({ example: 'w-0199a1c27b1c70008000000000000001' }) id!: string;
  @ApiProperty() name!: string;
  @ApiProperty({ type: 'integer', nullable: true, description: 'null: it was set up by hand' })
  createdAt!: number | null;
}

/** The one workspace of the caller. */
@ApiTags('workspace')
@Controller('v1/workspace')
export class WorkspaceController {
  constructor(
    private readonly workspaces: Workspaces,
    private readonly keeper: MemberKeeper,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Roles('viewer', 'analyst', 'operator', 'admin')
  @ApiOperation({ summary: 'Your workspace' })
  @ApiResponse({ status: 200, type: WorkspaceView })
  async read(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<WorkspaceView> {
    const { name, createdAt, revision } = await this.workspaces.describe(workspaceId);
    reply.header('etag', etag(revision));
    return { id: workspaceId, name, createdAt: createdAt ?? null };
  }

  @Patch()
  @Roles('admin')
  @ApiOperation({ summary: 'Rename it' })
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 200, type: WorkspaceView })
  async rename(
    @Body() { name }: RenameBody,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<WorkspaceView> {
    const { workspaceId } = principal;
    const act = actOf(principal, 'workspace.rename');
    await this.workspaces.rename(workspaceId, name, versionOf(ifMatch), this.clock.nowMs(), act);
    return this.read(principal, reply);
  }

  @Post('leave')
  @HttpCode(204)
  @Roles('viewer', 'analyst', 'operator', 'admin')
  @ApiOperation({ summary: 'Leave it; the last admin cannot. Your tokens are refused from now on' })
  @ApiResponse({ status: 204 })
  async leave(@CurrentPrincipal() principal: Principal): Promise<void> {
    const act = actOf(principal, 'member.leave');
    await this.keeper.change(principal.workspaceId, principal.subject, { kind: 'out' }, { act });
  }
}
