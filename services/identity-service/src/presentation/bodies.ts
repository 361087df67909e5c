import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Principal } from '@sociograph/auth';
import { currentCorrelationId } from '@sociograph/observability';
import {
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsEmail,
  IsIn,
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateIf,
} from 'class-validator';
import { WORKSPACE_ROLES, type WorkspaceRole } from '../domain/members';
import type { Act } from '../domain/ports';

/** No control characters and no half of a surrogate pair: neither can be stored or shown. */
const PLAIN = /^[^\p{Cc}\p{Cs}]*$/u;
const NOT_PLAIN = 'must have no control characters';

function Name(description: string): PropertyDecorator {
  return (target, property) => {
    ApiProperty({ description, minLength: 1, maxLength: 80 })(target, property);
    IsString({ message: 'must be a text' })(target, property);
    Length(1, 80, { message: 'must be 1 to 80 characters' })(target, property);
    Matches(PLAIN, { message: NOT_PLAIN })(target, property);
  };
}

const TOKEN = /^[A-Za-z0-9_-]{43}$/;

function InvitationToken(target: object, property: string): void {
  ApiProperty({
    description: 'As the invitation was answered',
    writeOnly: true,
    minLength: 43,
    maxLength: 43,
  })(target, property);
  IsString({ message: 'must be a text' })(target, property);
  Matches(TOKEN, { message: 'must be the token of an invitation' })(target, property);
}

export function RoleList(target: object, property: string): void {
  ApiProperty({ enum: WORKSPACE_ROLES, isArray: true, minItems: 1, uniqueItems: true })(target, property);
  IsArray({ message: 'must be a list' })(target, property);
  ArrayNotEmpty({ message: 'must name at least one role' })(target, property);
  ArrayUnique({ message: 'must name each role once' })(target, property);
  IsIn([...WORKSPACE_ROLES], { each: true, message: `must be among ${WORKSPACE_ROLES.join(', ')}` })(
    target,
    property,
  );
}

class NewcomerBody {
  @ApiProperty({ format: 'email', maxLength: 254, example: 'ada@example.org' })
  @IsString({ message: 'must be a text' })
  @Length(3, 254, { message: 'must be 3 to 254 characters' })
  @IsEmail({}, { message: 'must be an e-mail address' })
  email!: string;

  @ApiProperty({ minLength: 12, maxLength: 128, writeOnly: true, example: 'correct horse battery' })
  @IsString({ message: 'must be a text' })
  @Length(12, 128, { message: 'must be 12 to 128 characters' })
  @Matches(PLAIN, { message: NOT_PLAIN })
  password!: string;
}

export class RegisterBody extends NewcomerBody {
  @Name('Name of the new workspace')
  workspace!: string;
}

export class AcceptBody {
  @InvitationToken
  token!: string;
}

export class AcceptAsNewcomerBody extends NewcomerBody {
  @InvitationToken
  token!: string;
}

export class RenameBody {
  @Name('New name of the workspace')
  name!: string;
}

export class RolesBody {
  @RoleList
  roles!: WorkspaceRole[];
}

/** Absent or right: null is neither, though class-validator's own IsOptional lets it pass. */
function IfGiven(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

export class InviteBody {
  @RoleList
  roles!: WorkspaceRole[];

  @ApiPropertyOptional({ description: 'For whom it is; only shown in the list', maxLength: 200 })
  @IfGiven()
  @IsString({ message: 'must be a text' })
  @Length(1, 200, { message: 'must be 1 to 200 characters' })
  @Matches(PLAIN, { message: NOT_PLAIN })
  note?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 30, default: 7, description: 'Days it holds' })
  @IfGiven()
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(30, { message: 'must be at most 30' })
  days: number = 7;
}

/** Keycloak's ids, and nothing that could be a path. */
export class SubjectParam {
  @ApiProperty({ description: "Keycloak's id of the account" })
  @Matches(/^[A-Za-z0-9-]{1,64}$/, { message: 'must be the id of an account' })
  subject!: string;
}

export function actOf(principal: Pick<Principal, 'subject'>, action: string): Act {
  return {
    actor: { kind: 'person', id: principal.subject },
    action,
    correlationId: currentCorrelationId(),
  };
}
