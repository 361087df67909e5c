import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Container, type Manifest, ManifestCheck, podSpecs, ROOT } from './manifests';
import { readByServices } from './service-configurations';

const hasGo = spawnSync('go', ['version']).status === 0;

// Kustomize and kubeconform are Go libraries. Without Go the check is left out on a laptop, and is a failure in CI.
const withGo = hasGo || process.env['CI'] === 'true' ? describe : describe.skip;

const SERVICES = ['key-service', 'parser-service', 'graph-storage-service', 'read-model-projector'];

withGo('k8s', () => {
  let check: ManifestCheck;
  let overlays: Record<'dev' | 'prod', Manifest[]>;

  beforeAll(() => {
    check = ManifestCheck.build();
    overlays = { dev: check.list('k8s/overlays/dev'), prod: check.list('k8s/overlays/prod') };
  }, 900_000);

  const found = (overlay: 'dev' | 'prod', kind: string, name: string): Manifest => {
    const manifest = overlays[overlay].find(
      (each) =>
        each.kind === kind && (each.metadata.name === name || each.metadata.name.startsWith(`${name}-`)),
    );
    if (manifest === undefined) throw new Error(`${overlay} has no ${kind} ${name}`);
    return structuredClone(manifest);
  };

  describe.each(['dev', 'prod'] as const)('overlay %s', (overlay) => {
    it('fits the schemas of Kubernetes and of the custom resources', () => {
      const valid = check.validate(overlays[overlay]);
      expect(valid).toHaveLength(overlays[overlay].length);
      for (const name of [...SERVICES, 'gateway']) expect(valid).toContain(`Deployment/${name}`);
      expect(valid).toContain('StatefulSet/identity-service');
      expect(valid).toEqual(
        expect.arrayContaining([
          'ScaledObject/parser-service',
          'PrometheusRule/sociograph',
          'ServiceMonitor/services',
          'Job/key-service-migrate',
        ]),
      );
    });

    it('runs every container as an ordinary user on a read-only root, with bounds, from an exact tag', () => {
      for (const { name, spec } of podSpecs(overlays[overlay])) {
        expect([name, spec.automountServiceAccountToken]).toEqual([name, false]);
        expect(spec.securityContext).toMatchObject({
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        });
        for (const container of spec.containers) {
          expect(container.securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          expect(container.resources.limits?.['memory']).toBe(container.resources.requests?.['memory']);
          expect(container.resources.limits).not.toHaveProperty('cpu');
          expect(container.resources.requests).toHaveProperty('cpu');
          expect(container.image).toMatch(/:\d+\.\d+\.\d+$/);
        }
      }
    });

    it('probes every container that serves, and lets one pod of each go at a time', () => {
      for (const { metadata, spec } of overlays[overlay].filter(({ kind }) =>
        /^(Deployment|StatefulSet)$/.test(kind),
      )) {
        for (const container of spec.template.spec.containers as Container[])
          for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const)
            expect([metadata.name, container.name, typeof container[probe]]).toEqual([
              metadata.name,
              container.name,
              'object',
            ]);
        expect(spec.template.spec.topologySpreadConstraints).toHaveLength(2);
        expect(found(overlay, 'PodDisruptionBudget', metadata.name).spec.maxUnavailable).toBe(1);
      }
    });

    it('denies all traffic that no policy names, and names some for every pod', () => {
      const policies = overlays[overlay].filter(({ kind }) => kind === 'NetworkPolicy');
      const denied = policies.find(({ metadata }) => metadata.name === 'default-deny');
      expect(denied?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
      for (const { name, labels } of podSpecs(overlays[overlay])) {
        const own = policies.filter(
          ({ spec }) =>
            spec.podSelector.matchLabels !== undefined &&
            Object.entries(spec.podSelector.matchLabels as object).every(
              ([label, value]) => (labels as Record<string, unknown>)[label] === value,
            ),
        );
        expect([name, own.length]).toEqual([name, 1]);
      }
    });

    it('scales each Deployment by one autoscaler at most, and the single writer by none', () => {
      const targets = overlays[overlay]
        .filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject')
        .map(({ spec }) => spec.scaleTargetRef.name as string);
      expect(targets.sort()).toEqual(['gateway', 'graph-storage-service', 'key-service', 'parser-service']);
      for (const { metadata, spec } of overlays[overlay].filter(({ kind }) => kind === 'Deployment'))
        expect([metadata.name, spec.replicas !== undefined]).toEqual([
          metadata.name,
          ['read-model-projector', 'otel-collector'].includes(metadata.name),
        ]);
    });

    it('gives each service and migration an environment that its own configuration accepts, and nothing else', () => {
      const questions = podSpecs(overlays[overlay]).flatMap(({ name, spec: { containers } }) => {
        const service = name.replace(/-migrate$/, '');
        const [container] = containers;
        if (['gateway', 'otel-collector'].includes(name) || container === undefined) return [];
        return [
          { service, migrates: name !== service, environment: environmentOf(overlays[overlay], container) },
        ];
      });
      const answers = readByServices(questions);
      for (const [index, { service, migrates, environment }] of questions.entries()) {
        const { faults, names } = answers[index] ?? { faults: 'no answer', names: [] };
        expect([service, faults]).toEqual([service, '']);
        const known = [...names, ...SHARED, 'NODE_OPTIONS'];
        const unknown = Object.keys(environment).filter(
          (variable) => !known.includes(variable) && !variable.startsWith('ALLOW_INSECURE_'),
        );
        if (!migrates) expect([service, unknown]).toEqual([service, []]);
      }
    }, 120_000);

    it('has a fault named by the configuration when a variable of it is missing', () => {
      const [deployment] = podSpecs(overlays[overlay]).filter(({ name }) => name === 'parser-service');
      const environment = environmentOf(overlays[overlay], deployment?.spec.containers[0] as Container);
      delete environment['KAFKA_BROKERS'];
      const [answer] = readByServices([{ service: 'parser-service', migrates: false, environment }]);
      expect(answer?.faults).toContain('KAFKA_BROKERS is missing');
    }, 120_000);

    it('lets everybody who has spans reach the collector, and nobody reach beyond it with them', () => {
      const { data } = found(overlay, 'ConfigMap', 'fleet');
      expect(data).toMatchObject({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel-collector:4318' });
      const kong = Object.values(found(overlay, 'ConfigMap', 'gateway').data ?? {}).join('\n');
      expect(kong).toContain('traces_endpoint: http://otel-collector:4318/v1/traces');
      expect(found(overlay, 'Service', 'otel-collector').spec.ports).toContainEqual({
        name: 'otlp',
        port: 4318,
        targetPort: 'otlp',
      });
      const senders = podSpecs(overlays[overlay]).filter(({ labels }) =>
        ['service', 'gateway'].includes(
          (labels as Record<string, string>)['app.kubernetes.io/component'] ?? '',
        ),
      );
      expect(senders.map(({ name }) => name)).toEqual(expect.arrayContaining([...SERVICES, 'gateway']));
      for (const { name } of senders) {
        const { egress } = found(overlay, 'NetworkPolicy', name).spec as { egress: Rule[] };
        const traces = egress.filter(({ ports }) => ports?.some(({ port }) => port === 4318));
        const to = [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'otel-collector' } } }];
        expect([name, traces]).toEqual([name, [{ to, ports: [{ port: 4318, protocol: 'TCP' }] }]]);
      }
    });

    it('mounts the file of every variable that names one', () => {
      for (const { name, spec } of podSpecs(overlays[overlay])) {
        for (const { env, volumeMounts } of spec.containers) {
          const files = (env ?? []).filter((entry) => entry.name.endsWith('_FILE'));
          for (const { value } of files)
            expect([name, volumeMounts?.some(({ mountPath }) => value?.startsWith(`${mountPath}/`))]).toEqual(
              [name, true],
            );
        }
      }
    });
  });

  it('asks an external store for every secret that production refers to', () => {
    const asked = new Set(
      overlays.prod
        .filter(({ kind }) => kind === 'ExternalSecret')
        .map(({ spec }) => spec.target.name as string),
    );
    const used = podSpecs(overlays.prod).flatMap(({ spec }) => [
      ...spec.containers.flatMap(({ envFrom }) =>
        (envFrom ?? []).flatMap(({ secretRef }) => secretRef?.name ?? []),
      ),
      ...(spec.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? []),
    ]);
    expect(new Set(used)).toEqual(asked);
  });

  it('takes out of spans in a cluster what is taken out of them in Compose', () => {
    const processors = (text: string): unknown =>
      (parse(text) as { processors: Record<string, unknown> }).processors['attributes/no-paths'];
    const [text = ''] = Object.values(found('prod', 'ConfigMap', 'otel-collector').data ?? {});
    const compose = readFileSync(join(ROOT, 'infra/otel-collector/collector.yml'), 'utf8');
    expect(processors(text)).toBeDefined();
    expect(processors(text)).toEqual(processors(compose));
    const { service } = parse(text) as { service: { pipelines: Record<string, { processors: string[] }> } };
    expect(service.pipelines['traces']?.processors).toContain('attributes/no-paths');
  });

  it('names production as such and no permission to speak plaintext but to Kafka and the collector', () => {
    const { data } = found('prod', 'ConfigMap', 'fleet');
    expect(data).toMatchObject({ NODE_ENV: 'production' });
    expect(Object.keys(data ?? {}).filter((name) => name.startsWith('ALLOW_INSECURE'))).toEqual([
      'ALLOW_INSECURE_KAFKA',
      'ALLOW_INSECURE_OTEL',
    ]);
  });

  it.each<[string, string, string, (manifest: Manifest) => void, string]>([
    [
      'a port that is a text',
      'Deployment',
      'key-service',
      ({ spec }) => (spec.template.spec.containers[0].ports[0].containerPort = '3000'),
      'containerPort',
    ],
    [
      'a field that is not known',
      'Deployment',
      'gateway',
      ({ spec }) => (spec.template.spec.containers[0].imagePullPolice = 'Always'),
      'imagePullPolice',
    ],
    ['a selector that is missing', 'Deployment', 'gateway', ({ spec }) => delete spec.selector, 'selector'],
    [
      'a figure where KEDA wants texts',
      'ScaledObject',
      'parser-service',
      ({ spec }) => (spec.triggers[0].metadata.value = 32),
      'triggers/0/metadata/value',
    ],
    [
      'an endpoint without a list',
      'ServiceMonitor',
      'services',
      ({ spec }) => (spec.endpoints = {}),
      'endpoints',
    ],
    [
      'rules without groups of a list',
      'PrometheusRule',
      'sociograph',
      ({ spec }) => (spec.groups = {}),
      'groups',
    ],
    [
      'an unknown field of an external secret',
      'ExternalSecret',
      'key-service',
      ({ spec }) => (spec.refresh = '1h'),
      'refresh',
    ],
    [
      'a kind that nobody knows',
      'Deployment',
      'gateway',
      (manifest) => (manifest.kind = 'Deploiment'),
      'Deploiment',
    ],
  ])('refuses %s', (_, kind, name, breakIt, fault) => {
    const broken = found('prod', kind, name);
    breakIt(broken);
    expect(() => check.validate([broken])).toThrow(fault);
  });
});

/** Of a NetworkPolicy. */
interface Rule {
  to?: object[];
  ports?: { port: number | string; protocol: string }[];
}

/** In the ConfigMap of all; not every service reads each. */
const SHARED = [
  'KEYCLOAK_URL',
  'ARANGO_URL',
  'OIDC_ISSUER',
  'OIDC_JWKS_URL',
  'OIDC_AUDIENCE',
  'OIDC_CLIENTS',
  'KAFKA_BROKERS',
];

/** What stands for the values of Secrets, which are not in the repository. */
const SECRET_VALUES: Record<string, string> = {
  DATABASE_URL_APP: 'postgresql://app:pw@postgres.stores:5432/service?sslmode=verify-full',
  DATABASE_URL_WORKER: 'postgresql://worker:pw@postgres.stores:5432/service?sslmode=verify-full',
  DATABASE_URL_OWNER: 'postgresql://owner:pw@postgres.stores:5432/service?sslmode=verify-full',
  RABBITMQ_URL: 'amqps://user:pw@rabbitmq.stores:5671/sociograph',
  REDIS_POOL_URL: 'rediss://user:pw@redis-pool.stores:6379/0',
  REDIS_CACHE_URL: 'rediss://user:pw@redis-cache.stores:6379/0',
};

const NAMES_OF_SECRETS: Record<string, string[]> = {
  'key-service': ['DATABASE_URL_APP', 'DATABASE_URL_WORKER', 'RABBITMQ_URL', 'REDIS_POOL_URL'],
  'identity-service': ['DATABASE_URL_APP', 'DATABASE_URL_WORKER', 'REDIS_POOL_URL', 'IDENTITY_CLIENT_SECRET'],
  'parser-service': ['DATABASE_URL_APP', 'DATABASE_URL_WORKER', 'RABBITMQ_URL', 'REDIS_POOL_URL'],
  'graph-storage-service': ['ARANGO_USERNAME', 'ARANGO_PASSWORD', 'REDIS_POOL_URL'],
  'read-model-projector': ['ARANGO_USERNAME', 'ARANGO_PASSWORD', 'REDIS_POOL_URL', 'REDIS_CACHE_URL'],
};

function environmentOf(manifests: readonly Manifest[], { env, envFrom }: Container): Record<string, string> {
  const merged: Record<string, string> = {};
  for (const { configMapRef, secretRef } of envFrom ?? []) {
    const data = manifests.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef?.name,
    )?.data;
    Object.assign(merged, data);
    if (secretRef !== undefined)
      for (const name of secretNames(manifests, secretRef.name)) merged[name] = SECRET_VALUES[name] ?? 'x';
  }
  for (const { name, value } of env ?? []) merged[name] = value ?? 'from-the-pod';
  return merged;
}

/** As production asks for them; the dev overlay's are made by hand with the same names. */
function secretNames(manifests: readonly Manifest[], secret: string): string[] {
  const external = manifests.find(
    ({ kind, metadata }) => kind === 'ExternalSecret' && metadata.name === secret,
  );
  if (external !== undefined)
    return (external.spec.data as { secretKey: string }[]).map(({ secretKey }) => secretKey);
  const service = secret.replace(/-migrate$/, '');
  const names = NAMES_OF_SECRETS[service] ?? [];
  if (secret === service) return [...names, 'KAFKA_USERNAME', 'KAFKA_PASSWORD'];
  return names.includes('ARANGO_USERNAME') ? ['ARANGO_USERNAME', 'ARANGO_PASSWORD'] : ['DATABASE_URL_OWNER'];
}
