export { FleetApi, UnexpectedAnswer } from './fleet-api';
export type { FleetAddresses, ImportView, SimulatorStats, SummaryView } from './fleet-api';
