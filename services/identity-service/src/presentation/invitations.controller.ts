import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import {
  ApiHeader,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { Admission, CurrentPrincipal, type Principal, Public, Roles } from '@sociograph/auth';
import { Clock } from '@sociograph/kernel';
import {
  decodeCursor,
  encodeCursor,
  IdempotentPost,
  IdParam,
  type Page,
  PageQuery,
} from '@sociograph/service-host';
import { z } from 'zod';
import { Inviter } from '../application/invite-members';
import { alreadyMember } from '../domain/errors';
import { WORKSPACE_ROLES, type WorkspaceRole } from '../domain/members';
import { type Invitation, Invitations } from '../domain/ports';
import { AcceptBody, actOf, InviteBody } from './bodies';
import { MemberView, viewOf as memberViewOf } from './members.controller';

const place = z.object({ after: z.uuid() });

export class InvitationView {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty({ enum: WORKSPACE_ROLES, isArray: true }) roles!: readonly WorkspaceRole[];
  @ApiPropertyOptional() note?: string;
  @ApiProperty() createdBy!: string;
  @ApiProperty({ type: 'integer' }) createdAt!: number;
  @ApiProperty({ type: 'integer' }) expiresAt!: number;
}

export class NewInvitationView extends InvitationView {
  @ApiProperty({ description: 'For the one who is invited; it is shown only here' }) token!: string;
}

export class InvitationPage {
  @ApiProperty({ type: [InvitationView] }) items!: InvitationView[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

@ApiTags('workspace')
@Controller('v1')
@Roles('admin')
export class InvitationsController {
  constructor(
    private readonly inviter: Inviter,
    private readonly invitations: Invitations,
    private readonly admission: Admission,
    private readonly clock: Clock,
  ) {}

  @Post('workspace/invitations')
  @UseInterceptors(IdempotentPost)
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiOperation({ summary: 'Invite somebody: an answer with a token that joins once' })
  @ApiResponse({ status: 201, type: NewInvitationView })
  async invite(
    @Body() body: InviteBody,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: { header(name: string, value: string): unknown },
  ): Promise<NewInvitationView> {
    const act = actOf(principal, 'member.invite');
    const { invitation, token } = await this.inviter.invite(principal.workspaceId, body, act);
    // The one list that it is in: by itself it is only withdrawn.
    reply.header('location', '/v1/workspace/invitations');
    return { ...viewOf(invitation), token };
  }

  @Get('workspace/invitations')
  @ApiOperation({ summary: 'Open invitations in the order of their ids' })
  @ApiResponse({ status: 200, type: InvitationPage })
  async list(
    @Query() { limit, cursor }: PageQuery,
    @CurrentPrincipal() { workspaceId }: Principal,
  ): Promise<Page<InvitationView>> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, place).after;
    const found = await this.invitations.page(workspaceId, this.clock.nowMs(), limit + 1, after);
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const next = found.length > limit && last !== undefined ? encodeCursor({ after: last.id }) : null;
    return { items: items.map(viewOf), next };
  }

  @Delete('workspace/invitations/:id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Withdraw an open invitation' })
  @ApiResponse({ status: 204 })
  async withdraw(@Param() { id }: IdParam, @CurrentPrincipal() principal: Principal): Promise<void> {
    const act = actOf(principal, 'member.uninvite');
    await this.invitations.withdraw(principal.workspaceId, id, this.clock.nowMs(), act);
  }

  /** Not behind the guard, which refuses accounts without a workspace: the token is verified here instead. */
  @Post('invitations/accept')
  @HttpCode(200)
  @Public()
  @ApiOperation({ summary: 'Join with an account that belongs to no workspace' })
  @ApiResponse({ status: 200, type: MemberView })
  @ApiResponse({ status: 401 })
  @ApiResponse({ status: 403 })
  async accept(
    @Body() { token }: AcceptBody,
    @Req() { raw }: { raw: { rawHeaders: string[] } },
  ): Promise<MemberView> {
    const subject = await this.#caller(raw.rawHeaders);
    const act = actOf({ subject }, 'member.join');
    return memberViewOf(await this.inviter.accept(token, subject, act));
  }

  async #caller(rawHeaders: readonly string[]): Promise<string> {
    const { principal, hasWorkspace } = await this.admission.admit(rawHeaders);
    if (hasWorkspace) throw alreadyMember();
    return principal.subject;
  }
}

function viewOf({ id, roles, note, createdBy, createdAt, expiresAt }: Invitation): InvitationView {
  return { id, roles, ...(note !== undefined && { note }), createdBy, createdAt, expiresAt };
}
