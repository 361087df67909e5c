export { eventually } from './eventually';
export type { EventuallyOptions } from './eventually';
export { FakeClock, fakeClock, seeded, SeededRandomness, sequentialIds } from './fakes';
export { testServers } from './test-servers';
export type { TestServers } from './test-servers';
export { TcpProxy } from './tcp-proxy';
export type { TcpAddress, TcpProxyOptions } from './tcp-proxy';
export { ProcessHandle } from './process-handle';
export type { ProcessExit, ProcessOptions } from './process-handle';
