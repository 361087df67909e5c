// After end-to-end specs: a fleet that they started is ended. Left alone it would hold the writer's lock of the views,
// which specs of the projector wait for, and the memory of a machine that does other things.
const { execFileSync } = require('node:child_process');
const { join } = require('node:path');

module.exports = async () => {
  if (globalThis.endFleetOf === undefined) return;
  const program = join(__dirname, '../../infra/native/dist/main.js');
  execFileSync(process.execPath, [program, 'down', '--fleet-only', '--stack', globalThis.endFleetOf]);
};
