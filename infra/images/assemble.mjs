// The steps of every image, in one place: the Dockerfile runs them in its build stage, the specs run them in a clean
// folder. Plain Node without a dependency, for in a container it runs before anything is installed.
//
//   node infra/images/assemble.mjs IMAGE FOLDER           installs, generates, builds, then fills the folder
//   node infra/images/assemble.mjs IMAGE FOLDER --built   takes what is built already
//
// The folder becomes an application's tree: production dependencies from the repository's lock file, the built
// workspaces that the image's program needs, and `main.js`, a link to that program. Specs, benches and sources stay out.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const IMAGES = JSON.parse(readFileSync(join(ROOT, 'infra/images/images.json'), 'utf8'));
const SCOPE = join('node_modules', '@sociograph');
/** Built, yet nothing that runs in production. */
const LEFT_OUT = /\/dist\/(bench|simulation)(\/|$)/;

const [name = '', folder = '', ...flags] = process.argv.slice(2);
const image = IMAGES[name];
if (image === undefined || folder === '' || flags.some((flag) => flag !== '--built')) {
  console.error(`assemble.mjs IMAGE FOLDER [--built]; images: ${Object.keys(IMAGES).join(', ')}`);
  process.exit(2);
}
const target = resolve(folder);
if (existsSync(target) && readdirSync(target).length > 0) {
  console.error(`${target} is not empty: what an image is made of must not depend on what was there before.`);
  process.exit(2);
}

if (!flags.includes('--built')) build();
installDependencies();
removeToolsOfDevelopment();
copyWorkspaces();
for (const file of image.files) copy(file);
symlinkSync(join(image.folder, image.main), join(target, 'main.js'));

function build() {
  run('npm', ['ci', '--no-audit', '--no-fund'], ROOT);
  const nx = join(ROOT, 'node_modules/nx/dist/bin/nx.js');
  const { name: project } = JSON.parse(readFileSync(join(ROOT, image.folder, 'project.json'), 'utf8'));
  run(process.execPath, [nx, 'run-many', '--target=build', `--projects=tag:type:lib,${project}`], ROOT);
}

/** npm wants the manifest of every workspace, for it compares them all with the lock file. */
function installDependencies() {
  for (const file of ['package.json', 'package-lock.json', ...manifests()]) copy(file);
  const { name: workspace } = JSON.parse(readFileSync(join(ROOT, image.folder, 'package.json'), 'utf8'));
  run(
    'npm',
    ['ci', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline', `--workspace=${workspace}`],
    target,
  );
}

function manifests() {
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return workspaces.map((workspace) => join(workspace, 'package.json'));
}

/**
 * Packages that production could use and the repository only develops with: @prisma/client names Prisma's command line
 * tool and TypeScript as optional peers, and npm keeps them for that (320 MB with what they bring along). npm's own
 * `--omit=optional` would take real optional packages with them, such as DuckDB's library for this platform.
 */
function removeToolsOfDevelopment() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  for (const [path, { devOptional }] of Object.entries(packages))
    if (devOptional === true) rmSync(join(target, path), { recursive: true, force: true });
}

/** npm has linked the workspaces that are needed, and only those; of the others not even the manifest stays. */
function copyWorkspaces() {
  const links = existsSync(join(target, SCOPE)) ? readdirSync(join(target, SCOPE)) : [];
  const needed = links.map((link) => relative(realpathSync(target), realpathSync(join(target, SCOPE, link))));
  for (const workspace of manifests().map(dirname))
    if (!needed.includes(workspace) && workspace !== image.folder) removeWithEmptyParents(workspace);
  for (const workspace of needed) if (workspace !== image.folder) copy(join(workspace, 'dist'));
  rmSync(join(target, 'package-lock.json'));
}

function removeWithEmptyParents(workspace) {
  rmSync(join(target, workspace), { recursive: true });
  const parent = dirname(workspace);
  if (parent !== '.' && readdirSync(join(target, parent)).length === 0) rmdirSync(join(target, parent));
}

function copy(file) {
  const from = join(ROOT, file);
  if (!existsSync(from)) throw new Error(`${file} is not there: is ${name} built?`);
  mkdirSync(dirname(join(target, file)), { recursive: true });
  cpSync(from, join(target, file), {
    recursive: true,
    filter: (each) => !LEFT_OUT.test(each),
  });
}

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, NX_DAEMON: 'false' },
  });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
