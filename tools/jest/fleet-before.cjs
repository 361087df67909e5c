// Before end-to-end specs: whether a fleet runs on the test stack already.
const { join } = require('node:path');

const root = join(__dirname, '..', '..');

module.exports = async () => {
  require('./load-test-env.cjs');
  const stack = process.env.SOCIOGRAPH_STACK;
  if (stack === undefined) return;
  const { askSupervisor } = require(join(root, 'infra/native/dist/index.js'));
  const running = await askSupervisor(join(root, '.sociograph', stack), { command: 'status' });
  if (running === undefined) globalThis.endFleetOf = stack;
};
