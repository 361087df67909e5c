export { UnexpectedAnswer } from './answers';
export type { Problem } from './answers';
export { Api, pathOf, withQuery } from './api';
export type { ApiOptions, Page, Query } from './api';
export { FleetApi } from './fleet-api';
export type { EndedOptions, FleetAddresses, ImportOrder } from './fleet-api';
export { progressLine, ProgressDisplay } from './import-progress';
export type { ProgressInput } from './import-progress';
export { OAuthRefused, OidcClient } from './oidc';
export type { DeviceAuthorization } from './oidc';
export { connectionFault, passes, rest } from './patience';
export { serverSentEvents } from './server-sent-events';
export type { ServerSentEvent } from './server-sent-events';
export { clientCredentials, clientToken, issued, RenewedTokens, TokenSource } from './tokens';
export type { ConfidentialClient, IssuedToken, TokenAnswer } from './tokens';
export { hasEnded, watchImport } from './watch-import';
export type { WatchOptions } from './watch-import';
export type {
  CertificateView,
  ImportState,
  ImportView,
  SimulatorStats,
  StartedImportView,
  SummaryView,
} from './views';
