import { EXIT } from './failures';
import { run } from './program';

const interruption = new AbortController();
process.once('SIGINT', () => interruption.abort(new DOMException('Interrupted', 'AbortError')));
process.once('SIGTERM', () => interruption.abort(new DOMException('Ended', 'AbortError')));
// Whoever reads our output may have read enough (`| head`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

const { stdin, stdout, stderr, env } = process;
void run(process.argv.slice(2), { stdin, stdout, stderr, env, signal: interruption.signal }).then((code) => {
  process.exitCode = code;
  // A socket that is kept alive, or a terminal that is being read, must not keep the process.
  stdin.destroy();
});
