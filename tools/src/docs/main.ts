import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, ROOT } from '../repository';
import { between, codeTable, errorCodesOf } from './error-codes';

/** Writes the parts of the documents that are derived from the sources. */
function main(): void {
  const isSource = (path: string): boolean =>
    /\/src\/.*\.ts$/.test(path) && !/(\.spec|\.d)\.ts$/.test(path) && !/\/test\//.test(path);
  const codes = ['libs', 'services']
    .flatMap((folder) => filesBelow(folder, isSource))
    .flatMap((path) => errorCodesOf(path, readFileSync(join(ROOT, path), 'utf8')));
  const file = join(ROOT, 'docs/errors.md');
  writeFileSync(file, between(readFileSync(file, 'utf8'), 'codes', codeTable(codes)));
}

main();
