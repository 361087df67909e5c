import { execFile } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

const LIBRARY = 'faketime/libfaketimeMT.so.1';
const PACKAGE = 'libfaketime';

/** Where libfaketime is; installs Debian's package when it is missing, and says plainly when it cannot. */
export async function faketimeLibrary(): Promise<string> {
  const found = library();
  if (found !== undefined) return found;
  const apt = process.getuid?.() === 0 ? ['apt-get'] : ['sudo', '-n', 'apt-get'];
  const run = (args: readonly string[]): Promise<unknown> => {
    const [command = 'apt-get', ...before] = apt;
    return promisify(execFile)(command, [...before, ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  };
  const install = [
    'install',
    '-y',
    '-q',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=300',
    PACKAGE,
  ];
  try {
    process.stderr.write(`installing ${PACKAGE}\n`);
    // Mostly a fresh image without package lists, or lists that are too old.
    await run(install).catch(async () => {
      await run(['update', '-q']);
      await run(install);
    });
  } catch {
    // Said below.
  }
  const installed = library();
  if (installed === undefined)
    throw new Error(
      `${PACKAGE} is not installed and cannot be installed from here: run "apt-get install ${PACKAGE}".`,
    );
  return installed;
}

function library(): string | undefined {
  return readdirSync('/usr/lib')
    .map((folder) => `/usr/lib/${folder}/${LIBRARY}`)
    .find((path) => existsSync(path));
}

/** For a program whose wall clock is off by a constant; its monotonic clock is left alone. */
export function shifted(libraryFile: string, byMs: number): Record<string, string> {
  return {
    LD_PRELOAD: libraryFile,
    FAKETIME: offset(byMs),
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
}

/** A wall clock that can be stepped while the program runs; a step is seen within a second. */
export class SteppedClock {
  #byMs = 0;

  constructor(
    private readonly libraryFile: string,
    private readonly file: string,
  ) {
    this.#write();
  }

  get env(): Record<string, string> {
    return {
      // jemalloc asks for the time while it starts, and libfaketime allocates while it starts: with glibc's
      // allocator in front neither waits for the other.
      LD_PRELOAD: `${this.libraryFile} ${libc()}`,
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
  }

  step(byMs: number): void {
    this.#byMs += byMs;
    this.#write();
  }

  #write(): void {
    writeFileSync(this.file, `${offset(this.#byMs)}\n`);
  }
}

function offset(byMs: number): string {
  return `${byMs < 0 ? '-' : '+'}${(Math.abs(byMs) / 1000).toFixed(3)}`;
}

function libc(): string {
  const places = [...readdirSync('/lib').map((folder) => `/lib/${folder}/libc.so.6`), '/lib/libc.so.6'];
  const found = places.find((path) => existsSync(path));
  if (found === undefined) throw new Error('no glibc here: libfaketime needs it');
  return found;
}
