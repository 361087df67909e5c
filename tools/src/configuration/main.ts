import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../repository';
import { configurationDocument } from './document';
import { environmentExample } from './environment-example';
import { readVariables } from './read-variables';

/** Writes docs/configuration.md and .env.example. */
function main(): void {
  const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
  const fragments = read('libs/service-host/src/config-fragments.ts');
  const folders = [...readdirSync(join(ROOT, 'services')).map((name) => `services/${name}`), 'analytics'];
  const programs = folders
    .filter((folder) => existsSync(join(ROOT, folder, 'src/config.ts')))
    .map((folder) => ({
      name: folder.replace('services/', ''),
      variables: readVariables(read(`${folder}/src/config.ts`), fragments),
    }));
  writeFileSync(join(ROOT, 'docs/configuration.md'), configurationDocument(programs));
  writeFileSync(join(ROOT, '.env.example'), environmentExample(programs));
}

main();
