import { SpanRing } from './span-ring';
import { startReceiver } from './receiver';

/** A process of a stack's fleet: TRACES_FOLDER is where the ring lies, TRACES_PORT where spans are taken. */
async function main({
  TRACES_FOLDER: folder = '',
  TRACES_PORT: port = '',
}: NodeJS.ProcessEnv): Promise<void> {
  if (folder === '' || !/^\d+$/.test(port))
    throw new Error('TRACES_FOLDER must be a folder, TRACES_PORT a port.');
  const receiver = await startReceiver(new SpanRing(folder), Number(port));
  process.stdout.write(`spans are taken on 127.0.0.1:${receiver.port} and kept in ${folder}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      // Exporters flush when their process ends, which may be a moment later than this one's signal.
      setTimeout(() => void receiver.close().then(() => process.exit(0)), 1_500);
      setTimeout(() => process.exit(0), 3_000).unref();
    });
  }
}

main(process.env).catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
