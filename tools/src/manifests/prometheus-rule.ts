const HEAD = `# Written from infra/prometheus/rules by "npm run gen"; do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: { name: sociograph }
spec:
  groups:
`;

/** One PrometheusRule of files of rules (their texts): the groups as they stand, two spaces further in. */
export function prometheusRule(files: readonly string[]): string {
  return HEAD + files.map(groupsOf).join('');
}

function groupsOf(text: string): string {
  const [, groups] = text.split(/^groups:\n/m);
  if (groups === undefined) throw new Error('A file of rules begins with "groups:".');
  return groups.replace(/^(?=.)/gm, '  ');
}
