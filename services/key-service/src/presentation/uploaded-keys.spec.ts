import type { UploadedRow } from '../application/register-keys-in-bulk';
import { uploadedRows } from './uploaded-keys';

async function read(body: unknown): Promise<UploadedRow[]> {
  const rows: UploadedRow[] = [];
  for await (const row of await uploadedRows(body)) rows.push(row);
  return rows;
}

const HEADER = 'network,kind,token,consent.givenBy';
const LINE = 'vk,user,vk1.a.some-token,Ada';
const KEY = { network: 'vk', kind: 'user', token: 'vk1.a.some-token', consent: { givenBy: 'Ada' } };

function fault(field: string, message: string): object {
  return { code: 'REQUEST.INVALID', kind: 'invalid-input', fields: [{ field, message }] };
}

describe('an upload of keys', () => {
  it('is a list of registrations', async () => {
    expect(await read([KEY, { ...KEY, weight: 3 }])).toEqual([
      { row: 1, described: KEY },
      { row: 2, described: { ...KEY, weight: 3 } },
    ]);
  });

  it('is a CSV with the fields of a registration as columns', async () => {
    const header = `\uFEFF${HEADER},label,consent.at,limits.perSecond,limits.perDay,weight,egress,bucket,ownerId,scopes`;
    const line = `${LINE},"Ada, first",1795,2,500,7,home,app-1,77,friends  wall`;
    expect(await read(`${header},limits.methodsPerDay.wall.get\r\n${line},40\r\n\r\n`)).toEqual([
      {
        row: 1,
        described: {
          ...KEY,
          label: 'Ada, first',
          consent: { givenBy: 'Ada', at: 1795 },
          limits: { perSecond: 2, perDay: 500, methodsPerDay: { 'wall.get': 40 } },
          weight: 7,
          egress: 'home',
          bucket: 'app-1',
          ownerId: '77',
          scopes: ['friends', 'wall'],
        },
      },
    ]);
    expect(await read(`${HEADER},label\n${LINE},\n`)).toEqual([{ row: 1, described: KEY }]);
    const pair = 'refresh.token,refresh.clientId,refresh.deviceId,refresh.expiresAt';
    expect(await read(`${HEADER},${pair}\n${LINE},vk2.a.refresh,app-1,device,1795\n`)).toEqual([
      {
        row: 1,
        described: {
          ...KEY,
          refresh: { token: 'vk2.a.refresh', clientId: 'app-1', deviceId: 'device', expiresAt: 1795 },
        },
      },
    ]);
  });

  it('names the fields of a row that is wrong', async () => {
    const rows = await read([5, { ...KEY, kind: 'admin', colour: 'red' }, KEY, [KEY], null]);
    const object = [{ field: 'row', message: 'must be an object' }];
    expect(rows).toEqual([
      { row: 1, errors: object },
      {
        row: 2,
        errors: expect.arrayContaining([
          { field: 'colour', message: 'is not a known field' },
          { field: 'kind', message: 'must be one of user, service, community' },
        ]),
      },
      { row: 3, described: KEY },
      { row: 4, errors: object },
      { row: 5, errors: object },
    ]);
    expect(await read(`${HEADER},weight\n${LINE},many\n${LINE}\n${LINE},2\n`)).toEqual([
      { row: 1, errors: [{ field: 'weight', message: 'must be a whole number from 1 to 100' }] },
      { row: 2, errors: [{ field: 'row', message: 'must have 5 columns' }] },
      { row: 3, described: { ...KEY, weight: 2 } },
    ]);
  });

  it('reads a long text in pieces', async () => {
    const token = `vk1.a.${'t'.repeat(1_000)}`;
    const lines = Array.from({ length: 150 }, () => `vk,user,${token},Ada`);
    const rows = await read([HEADER, ...lines].join('\n'));
    expect(rows).toHaveLength(150);
    expect(rows.at(-1)).toEqual({ row: 150, described: { ...KEY, token } });
  });

  it.each<[string, unknown, string, string]>([
    ['an object', {}, 'body', 'must be a list of keys, or text/csv'],
    ['nothing', undefined, 'body', 'must be a list of keys, or text/csv'],
    ['an empty list', [], 'body', 'must have at least one row'],
    ['a CSV without rows', HEADER, 'body', 'must have at least one row'],
    ['an empty text', '', 'body', 'must have at least one row'],
    ['a column that nobody knows', `${HEADER},colour\n${LINE},red`, 'colour', 'is not a known column'],
    ['a column twice', `${HEADER},kind\n${LINE},user`, 'kind', 'is a column twice'],
    [
      'no column of tokens',
      'network,kind,consent.givenBy\nvk,user,Ada',
      'token',
      'is a column that must be there',
    ],
    ['a quote without end', `${HEADER}\n"vk,user`, 'body', 'is not well-formed CSV (CSV_QUOTE_NOT_CLOSED)'],
    ['too many rows', Array.from({ length: 50_001 }, () => 1), 'body', 'must have at most 50000 rows'],
  ])('is not %s', async (_, body, field, message) => {
    await expect(read(body)).rejects.toMatchObject(fault(field, message));
  });
});
