import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, ROOT } from '../repository';
import { measure, sizesOf, type SourceFile } from './file-sizes';

const isCode = (path: string): boolean => path.endsWith('.ts') && !path.endsWith('.d.ts');

/** Prints sizes per project beside the compass of style statement 9. */
function main(): void {
  const files = ['libs', 'services', 'gateway', 'infra', 'tools', 'e2e']
    .flatMap((folder) => filesBelow(folder, isCode))
    .map((path) => measure(path, readFileSync(join(ROOT, path), 'utf8')));
  const isTest = (file: SourceFile): boolean => /(\.spec\.ts$|\/test\/|^e2e\/)/.test(file.path);
  const sources = files.filter((file) => !isTest(file));
  const tests = files.filter(isTest);
  const rows = [...new Set(sources.map((file) => projectOf(file.path)))].map((project) =>
    row(
      project,
      sources.filter((file) => projectOf(file.path) === project),
    ),
  );
  process.stdout.write(
    `${line(['project', 'files', 'lines', 'median', 'p95', '<15', 'comments', 'imports'])}\n`,
  );
  for (const cells of [...rows, row('all sources', sources), row('all tests', tests)]) {
    process.stdout.write(`${line(cells)}\n`);
  }
  const testLines = tests.reduce((sum, file) => sum + file.lines, 0);
  const sourceLines = sources.reduce((sum, file) => sum + file.lines, 0);
  process.stdout.write(
    `\nlines of test per line of source: ${(testLines / sourceLines).toFixed(2)}\nlargest sources:\n`,
  );
  for (const file of sizesOf(sources).largest) process.stdout.write(`  ${file.lines} ${file.path}\n`);
}

function projectOf(path: string): string {
  const [top = '', name = ''] = path.split('/');
  return ['libs', 'services', 'infra'].includes(top) ? `${top}/${name}` : top;
}

function row(name: string, files: SourceFile[]): string[] {
  const sizes = sizesOf(files);
  const percent = (value: number): string => `${Math.round(value * 100)} %`;
  return [
    name,
    String(sizes.files),
    String(sizes.lines),
    String(sizes.median),
    String(sizes.p95),
    percent(sizes.tiny),
    percent(sizes.commentShare),
    percent(sizes.importShare),
  ];
}

function line(cells: string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(34) : cell.padStart(9))).join('');
}

main();
