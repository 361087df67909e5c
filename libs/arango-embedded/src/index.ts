export { startEmbedded } from './start';
export type { RunningServer } from './start';
export type { Account, EmbeddedConfig, TestModeConfig } from './config';
