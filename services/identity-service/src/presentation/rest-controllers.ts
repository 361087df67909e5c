import { AuditController } from './audit.controller';
import { InvitationsController } from './invitations.controller';
import { MembersController } from './members.controller';
import { QuotasController } from './quotas.controller';
import { RegistrationController } from './registration.controller';
import { WorkspaceController } from './workspace.controller';

/** The REST edge. */
export const REST_CONTROLLERS = [
  RegistrationController,
  WorkspaceController,
  MembersController,
  InvitationsController,
  QuotasController,
  AuditController,
];
