import { spawnSync } from 'node:child_process';
import { ROOT } from './manifests';

export interface Question {
  service: string;
  migrates: boolean;
  environment: Record<string, string>;
}

/** What the built services' own configurations say of these environments, in a process that has nothing else. */
export function readByServices(questions: readonly Question[]): { faults: string; names: string[] }[] {
  const text = `
    const questions = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
    const answers = questions.map(({ service, migrates, environment }) => {
      const readers = Object.entries(require('./services/' + service + '/dist/config.js'));
      const wanted = migrates ? /^migrationConfig$/ : /^(keyService|parser|graphStorage|projector|identity)Config$/;
      const [, read] = readers.find(([name]) => wanted.test(name));
      process.env = environment;
      try { return { faults: '', names: Object.keys(read()) }; }
      catch (error) { return { faults: error.message, names: [] }; }
    });
    process.stdout.write(JSON.stringify(answers));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', text], {
    encoding: 'utf8',
    cwd: ROOT,
    input: JSON.stringify(questions),
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as { faults: string; names: string[] }[];
}
