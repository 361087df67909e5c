import type { Program } from './document';
import type { Variable } from './read-variables';

const HEAD = `# Everything that the programs read from the environment, for \`node --env-file=FILE <program>/dist/main.js\`.
# Written from their own config.ts by \`npm run gen\`; do not edit. What has no "#" before it is needed; the rest shows what
# is used without it. docs/configuration.md says the same as tables. \`npm run up\` sets all of it by itself; Compose and
# Kubernetes have theirs in docker-compose.yml and k8s/base/*.env.
`;

/** The form of an env file. A name that several programs read stands once, in the part of the first that reads it. */
export function environmentExample(programs: readonly Program[]): string {
  const readers = new Map<string, string[]>();
  for (const { name, variables } of programs)
    for (const variable of variables)
      readers.set(variable.name, [...(readers.get(variable.name) ?? []), name]);
  const readersOf = (name: string): string => {
    const names = readers.get(name) ?? [];
    if (names.length === 1) return '';
    return names.length === programs.length ? '(all)' : `(${names.join(', ')})`;
  };
  const parts = programs.map(({ name, variables }) => {
    const own = variables.filter((variable) => readers.get(variable.name)?.[0] === name);
    return [`\n# ${name}`, ...own.flatMap((variable) => lines(variable, readersOf(variable.name)))];
  });
  return `${HEAD}${parts.flat().join('\n')}\n`;
}

function lines({ name, fallback, choices, about }: Variable, readers: string): string[] {
  const said = [about, choices === undefined ? '' : `One of ${choices.join(', ')}.`, readers].filter(Boolean);
  const comment = said.length === 0 ? [] : [`# ${said.join(' ')}`];
  return [...comment, fallback === undefined ? `${name}=` : `#${name}=${fallback}`];
}
