import { Body, Controller, HttpCode, Post, UseFilters, UseInterceptors } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiHeader,
  ApiOperation,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, Roles } from '@sociograph/auth';
import { currentCorrelationId } from '@sociograph/observability';
import { IdempotentPost, LargeBody } from '@sociograph/service-host';
import { BulkRegistrar } from '../application/register-keys-in-bulk';
import { RegisterKeyBody } from './key-bodies';
import { BulkView } from './key-views';
import { RefusalAudit } from './refusal-audit';
import { uploadedRows } from './uploaded-keys';

/** Many keys at once. */
@ApiTags('keys')
@Controller('v1/keys/bulk')
@Roles('admin', 'operator')
@UseFilters(RefusalAudit)
export class BulkKeysController {
  constructor(private readonly registrar: BulkRegistrar) {}

  @Post()
  @HttpCode(200)
  @LargeBody(20, 'text/csv')
  @UseInterceptors(IdempotentPost)
  @ApiOperation({
    summary: 'Take many keys into the pool; each row has its own verdict',
    description:
      'A list of registrations, or text/csv with their fields as columns (nested ones with a dot: ' +
      'consent.givenBy, limits.perSecond; scopes parted by spaces). At most 20 MB and 50,000 rows. A bad row ' +
      'stops none of the others; what is no list and no CSV is refused as a whole. Rows are written 500 at a time, ' +
      'about a thousand a second. The gateway waits 20 seconds for an answer: what takes longer is 504 there and goes ' +
      'on; the same request with the same Idempotency-Key then brings its answer (409 until it is done).',
  })
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiConsumes('application/json', 'text/csv')
  @ApiBody({ schema: { type: 'array', maxItems: 50_000, items: { $ref: getSchemaPath(RegisterKeyBody) } } })
  @ApiResponse({ status: 200, type: BulkView })
  async register(@Body() body: unknown, @CurrentPrincipal() principal: Principal): Promise<BulkView> {
    const verdicts = await this.registrar.register({
      workspaceId: principal.workspaceId,
      rows: await uploadedRows(body),
      actor: { kind: 'person', id: principal.subject },
      correlationId: currentCorrelationId(),
    });
    const created = verdicts.filter((verdict) => 'id' in verdict).length;
    return { created, refused: verdicts.length - created, rows: verdicts };
  }
}
