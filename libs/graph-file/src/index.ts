export { EdgeLineParser, LineFault } from './edge-line-parser';
export { GraphFileError } from './graph-file-error';
export { graphStatistics, triangleCounts } from './graph-statistics';
export type { GraphStatistics } from './graph-statistics';
export { buildNormalGraph, NormalGraph } from './normal-graph';
export { readGraphFile } from './read-graph-file';
export type { ReadGraphOptions } from './read-graph-file';
