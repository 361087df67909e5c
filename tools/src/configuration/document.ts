import type { Variable } from './read-variables';

export interface Program {
  name: string;
  variables: readonly Variable[];
}

const HEAD = `# Configuration

Written from the programs' own \`config.ts\` by \`npm run gen\`; do not edit. Everything is read from the environment once, at the
start. All faults are told together, by the variables' names and never with a value, and the program ends with 1. An empty
variable counts as absent.

With \`NODE_ENV=production\` a connection in plaintext or without credentials is a fault, unless \`ALLOW_INSECURE_<SERVER>=true\`
permits it (\`POSTGRES\`, \`RABBITMQ\`, \`KAFKA\`, \`REDIS\`, \`ARANGO\`, \`KEYCLOAK\`, \`VK\`, \`S3\`, \`CLICKHOUSE\`, \`OTEL\`). Secrets that are files are
named by variables that end in \`_FILE\`.
`;

/** Markdown: what all programs read alike first, then each program's own; within, what is needed first. */
export function configurationDocument(programs: readonly Program[]): string {
  const [first] = programs;
  const shared = (first?.variables ?? []).filter((variable) =>
    programs.every(({ variables }) => variables.some((each) => same(each, variable))),
  );
  const parts = programs.map(({ name, variables }) =>
    section(
      name,
      variables.filter((variable) => !shared.some((each) => same(each, variable))),
    ),
  );
  return [HEAD, section('All of them', shared), ...parts].join('\n');
}

function same(a: Variable, b: Variable): boolean {
  return a.name === b.name && a.fallback === b.fallback;
}

function section(title: string, variables: readonly Variable[]): string {
  const needed = variables.filter(({ fallback }) => fallback === undefined);
  const others = variables.filter(({ fallback }) => fallback !== undefined);
  const rows = [...needed, ...others].map(
    (variable) => `| \`${variable.name}\` | ${withoutIt(variable)} | ${meaning(variable)} |`,
  );
  return [`## ${title}\n`, '| variable | without it | |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

function withoutIt({ fallback }: Variable): string {
  if (fallback === undefined) return '**refused**';
  return fallback === '' ? 'left out' : `\`${fallback}\``;
}

function meaning({ about, choices }: Variable): string {
  const parts = [
    choices === undefined ? '' : `One of ${choices.map((choice) => `\`${choice}\``).join(', ')}.`,
    about,
  ];
  return parts.filter(Boolean).join(' ').replace(/\|/g, '\\|');
}
