import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { find, run } from '../run-command';
import { PlainFault, type Requirement } from '../servers/server';

export const JAVA: Requirement = {
  packages: ['openjdk-17-jre-headless'],
  found: () =>
    process.env['JAVA_HOME'] === undefined
      ? find('java')
      : find('java', [join(process.env['JAVA_HOME'], 'bin')]),
  wayOut: 'install Java 17 or later and put `java` on PATH, or set JAVA_HOME.',
};

export const MAVEN: Requirement = {
  packages: ['maven'],
  found: () => find('mvn'),
  wayOut: 'install Maven and put `mvn` on PATH; it fetches Kafka and Keycloak from Maven Central.',
};

/**
 * Makes `target` by `build` in a folder beside it and renames it, so that a download that was cut off is never taken
 * for a whole one, and two stacks that start at once do not disturb each other.
 */
export async function once(target: string, build: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(target)) return;
  const folder = `${target}.${process.pid}.part`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    await build(folder);
    if (!existsSync(target)) renameSync(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The jars of a pom and everything that they need, into `folder`. */
export async function copyJars(pom: string, folder: string): Promise<void> {
  await maven(['-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`]);
}

/** One artifact of Maven Central as a file in `folder`. The plugin's version must be named: it runs without a pom. */
export async function copyArtifact(artifact: string, folder: string): Promise<void> {
  await maven([
    'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy',
    `-Dartifact=${artifact}`,
    `-DoutputDirectory=${folder}`,
  ]);
}

/** Unpacks with what the machine has: `unzip`, else the JDK's `jar`, else Python. */
export async function unpack(archive: string, folder: string): Promise<void> {
  if (find('unzip') !== undefined) await run('unzip', ['-q', archive, '-d', folder]);
  else if (find('jar') !== undefined) await run('jar', ['xf', archive], { cwd: folder });
  else if (find('python3') !== undefined) await run('python3', ['-m', 'zipfile', '-e', archive, folder]);
  else throw new PlainFault('Keycloak cannot be unpacked: install `unzip`.');
}

export function writePom(file: string, dependencies: readonly (readonly [string, string, string])[]): void {
  const body = dependencies
    .map(
      ([g, a, v]) =>
        `    <dependency><groupId>${g}</groupId><artifactId>${a}</artifactId><version>${v}</version></dependency>`,
    )
    .join('\n');
  writeFileSync(
    file,
    `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.sociograph</groupId>
  <artifactId>classpath</artifactId>
  <version>1</version>
  <dependencies>
${body}
  </dependencies>
</project>
`,
  );
}

async function maven(args: readonly string[]): Promise<void> {
  try {
    await run('mvn', ['-q', '-B', ...args]);
  } catch (error) {
    throw new PlainFault(
      `Maven could not fetch what is needed from Maven Central. ${(error as Error).message}`,
    );
  }
}
