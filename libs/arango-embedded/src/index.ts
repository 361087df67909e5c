export { startEmbedded } from './start';
export type { Arrival, RunningServer } from './start';
export { contractTarget } from './config';
export type { Account, ContractTarget, EmbeddedConfig, TestModeConfig } from './config';
export { contractServer } from './contract-server';
export type { ContractServer } from './contract-server';
