export { FleetApi, UnexpectedAnswer } from './fleet-api';
export type { CertificateView, FleetAddresses, ImportView, SimulatorStats, SummaryView } from './fleet-api';
