import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { DomainError } from '@sociograph/kernel';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsUUID, Matches, Max, Min, ValidateIf, ValidateNested } from 'class-validator';
import { EXPORT_MAX_DEPTH, EXPORT_MAX_NODES } from '../application/request-export';
import { EXPORT_FORMATS, type ExportFormat, type ExportSubject } from '../domain/export';

const DEFAULT_DEPTH = 1;
const DEFAULT_NODES = 1_000;
/** Above this no number of steps or people means anything; what is only too much is 422, not 400. */
const SENSIBLE = 1_000_000;

/** Absent or valid: null is neither, where `IsOptional` would let it pass. */
function IsOptionalNotNull(): PropertyDecorator {
  return ValidateIf((_body, value) => value !== undefined);
}

export class ExportSubjectBody {
  @ApiPropertyOptional({ example: '107', description: 'The surroundings of this person' })
  @IsOptionalNotNull()
  @Matches(/^[A-Za-z0-9_-]{1,64}$/, { message: 'must be the id of a person at the network' })
  person?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: EXPORT_MAX_DEPTH,
    default: DEFAULT_DEPTH,
    description: 'Steps from the person; more than the maximum is 422',
  })
  @IsOptionalNotNull()
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(SENSIBLE, { message: 'is out of range' })
  depth?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: EXPORT_MAX_NODES,
    default: DEFAULT_NODES,
    description: 'People at most, the nearest first; more than the maximum is 422',
  })
  @IsOptionalNotNull()
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(SENSIBLE, { message: 'is out of range' })
  nodes?: number;

  @ApiPropertyOptional({ format: 'uuid', description: 'What this import saw, as it is today' })
  @IsOptionalNotNull()
  @IsUUID(undefined, { message: 'must be the id of an import' })
  import?: string;
}

export class ExportBody {
  @ApiProperty({ example: 'vk' })
  @Matches(/^[a-z][a-z0-9-]{0,31}$/, { message: 'must name a network, e.g. vk' })
  network!: string;

  @ApiPropertyOptional({
    type: ExportSubjectBody,
    description: 'Either a person or an import; absent: the whole graph of the network',
  })
  @IsOptionalNotNull()
  @Type(() => ExportSubjectBody)
  @ValidateNested({ message: 'must be an object' })
  of?: ExportSubjectBody;

  @ApiProperty({ enum: EXPORT_FORMATS })
  @IsIn([...EXPORT_FORMATS], { message: `must be one of ${EXPORT_FORMATS.join(', ')}` })
  format!: ExportFormat;
}

/** Query of a link that we made; whatever else it holds, it is over. */
export class ExportLinkQuery {
  @ApiProperty({ type: 'integer', description: 'From the link' })
  @Type(() => Number)
  @IsInt({ message: 'must be that of a link' })
  @Min(0, { message: 'must be that of a link' })
  expires!: number;

  @ApiProperty({ description: 'From the link' })
  @Matches(/^[A-Za-z0-9_-]{1,128}$/, { message: 'must be that of a link' })
  signature!: string;
}

/** Throws `REQUEST.INVALID` when the parts do not go together. */
export function subjectOf(of: ExportSubjectBody | undefined): ExportSubject {
  if (of === undefined) return { kind: 'graph' };
  const { person, depth, nodes, import: importId } = of;
  if (person === undefined && importId === undefined)
    throw invalid('of', 'must name a person or an import, or be absent for the whole graph');
  if (person !== undefined && importId !== undefined)
    throw invalid('of.import', 'does not go together with a person');
  if (importId !== undefined) {
    if (depth !== undefined) throw invalid('of.depth', 'goes together with a person only');
    if (nodes !== undefined) throw invalid('of.nodes', 'goes together with a person only');
    return { kind: 'import', importId };
  }
  const limits = { depth: depth ?? DEFAULT_DEPTH, nodes: nodes ?? DEFAULT_NODES };
  return { kind: 'surroundings', person: person ?? '', ...limits };
}

function invalid(field: string, message: string): DomainError {
  return new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: `The request has faults: ${field}.`,
    fields: [{ field, message }],
  });
}
