// Writes schemas/ from what the projects publish themselves, fetched by Go's module proxy:
//   go mod download -json k8s.io/kubernetes@v1.34.1 (and the other three; "Dir" is the folder)
//   node infra/k8s-check/extract-schemas.mjs KUBERNETES KEDA PROMETHEUS_OPERATOR EXTERNAL_SECRETS
// Only the kinds that k8s/ uses. Objects are closed: a field that is not known is an error, as the API server warns of it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const TARGET = join(dirname(fileURLToPath(import.meta.url)), 'schemas');
const KINDS = {
  'io.k8s.api.apps.v1.Deployment': 'apps/v1',
  'io.k8s.api.apps.v1.StatefulSet': 'apps/v1',
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler': 'autoscaling/v2',
  'io.k8s.api.batch.v1.Job': 'batch/v1',
  'io.k8s.api.core.v1.ConfigMap': 'v1',
  'io.k8s.api.core.v1.Namespace': 'v1',
  'io.k8s.api.core.v1.PersistentVolumeClaim': 'v1',
  'io.k8s.api.core.v1.Secret': 'v1',
  'io.k8s.api.core.v1.Service': 'v1',
  'io.k8s.api.core.v1.ServiceAccount': 'v1',
  'io.k8s.api.networking.v1.NetworkPolicy': 'networking.k8s.io/v1',
  'io.k8s.api.policy.v1.PodDisruptionBudget': 'policy/v1',
};
const CUSTOM = [
  [1, 'config/crd/bases/keda.sh_scaledobjects.yaml'],
  [1, 'config/crd/bases/keda.sh_triggerauthentications.yaml'],
  [2, 'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml'],
  [2, 'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml'],
  [3, 'config/crds/bases/external-secrets.io_externalsecrets.yaml'],
];

const folders = process.argv.slice(2);
if (folders.length !== 4) throw new Error('four folders are needed: see the head of this file');
rmSync(TARGET, { recursive: true, force: true });
mkdirSync(TARGET);

const { definitions } = JSON.parse(readFileSync(join(folders[0], 'api/openapi-spec/swagger.json'), 'utf8'));
for (const [name, version] of Object.entries(KINDS)) {
  const used = {};
  const root = closed(definitions[name], used);
  write(version, name.split('.').at(-1), { ...root, definitions: used });
}
for (const [folder, file] of CUSTOM) {
  const { spec } = parse(readFileSync(join(folders[folder], file), 'utf8'));
  for (const { name, served, schema } of spec.versions)
    if (served) write(`${spec.group}/${name}`, spec.names.kind, closed(schema.openAPIV3Schema));
}

/** Without descriptions, with closed objects; what is referred to is put into `used` under its own name. */
function closed(schema, used) {
  if (Array.isArray(schema)) return schema.map((item) => closed(item, used));
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1);
    if (!(name in used)) {
      used[name] = {};
      used[name] = closed(definitions[name], used);
    }
    return { $ref: `#/definitions/${name}` };
  }
  if (schema['x-kubernetes-int-or-string'] || schema.format === 'int-or-string')
    return { type: ['string', 'integer'] };
  const copy = {};
  for (const [key, value] of Object.entries(schema)) {
    const isField = key === 'properties';
    if (!isField && (key === 'description' || key === 'format' || key.startsWith('x-kubernetes'))) continue;
    copy[key] = isField
      ? Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, closed(inner, used)]))
      : closed(value, used);
  }
  const open = schema['x-kubernetes-preserve-unknown-fields'] || schema.additionalProperties !== undefined;
  // A custom resource says no more of its metadata than that it is an object.
  if (schema.properties !== undefined && !open) copy.additionalProperties = false;
  return copy;
}

function write(version, kind, schema) {
  const [group, name = group] = version.split('/');
  writeFileSync(join(TARGET, `${group}-${name}-${kind.toLowerCase()}.json`), `${JSON.stringify(schema)}\n`);
}
