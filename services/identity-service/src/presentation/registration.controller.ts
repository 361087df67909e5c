import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '@sociograph/auth';
import { Registrar } from '../application/register-accounts';
import { AcceptAsNewcomerBody, RegisterBody } from './bodies';

export class AcceptedView {
  @ApiProperty({ enum: ['accepted'] }) status!: 'accepted';
}

/** For people without an account. The answer says nothing of whether the address has one. */
@ApiTags('registration')
@Controller('v1')
@Public()
export class RegistrationController {
  constructor(private readonly registrar: Registrar) {}

  @Post('register')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Register an account with a workspace of its own',
    description:
      'The same answer for an address that is known already. The account is there within seconds; where addresses are ' +
      'confirmed, a mail follows at the first sign-in.',
  })
  @ApiResponse({ status: 202, type: AcceptedView })
  async register(@Body() { email, password, workspace }: RegisterBody): Promise<AcceptedView> {
    await this.registrar.register({ email, password, workspaceName: workspace });
    return { status: 'accepted' };
  }

  @Post('register/invited')
  @HttpCode(202)
  @ApiOperation({ summary: 'Register an account that joins the workspace of an invitation' })
  @ApiResponse({ status: 202, type: AcceptedView })
  async registerInvited(@Body() body: AcceptAsNewcomerBody): Promise<AcceptedView> {
    await this.registrar.registerInvited(body);
    return { status: 'accepted' };
  }
}
