/** What a workspace has limits of, as libs/auth names it for the services that enforce them. */
export type QuotaName =
  'people' | 'running-imports' | 'keys' | 'exports' | 'stored-bytes' | 'streams' | 'members';
