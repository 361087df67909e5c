import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const ROOT = resolve(__dirname, '../../..');
const SCHEMAS = join(ROOT, 'infra/k8s-check/schemas');

export interface EnvEntry {
  name: string;
  value?: string;
  valueFrom?: unknown;
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  env?: EnvEntry[];
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
  resources: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext: Record<string, unknown>;
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  startupProbe?: object;
  readinessProbe?: object;
  livenessProbe?: object;
}

export interface PodSpec {
  serviceAccountName: string;
  automountServiceAccountToken: boolean;
  securityContext: Record<string, unknown>;
  containers: Container[];
  volumes?: { name: string; secret?: { secretName: string } }[];
}

/** A resource as Kustomize prints it; `spec` as far as the specs look into it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as many shapes as kinds; kubeconform has looked at each
  spec?: any;
}

/** Kustomize and kubeconform, built from the versions that go.mod pins. */
export class ManifestCheck {
  private constructor(private readonly program: string) {}

  static build(): ManifestCheck {
    const program = join(mkdtempSync(join(tmpdir(), 'k8s-check-')), 'k8s-check');
    execFileSync('go', ['build', '-o', program, '.'], { cwd: join(ROOT, 'infra/k8s-check'), stdio: 'pipe' });
    return new ManifestCheck(program);
  }

  /** The resources of an overlay. */
  list(folder: string): Manifest[] {
    return JSON.parse(this.run(['list', folder])) as Manifest[];
  }

  /** Names of what fits its schema; throws with every fault of what does not. */
  validate(manifests: readonly unknown[]): string[] {
    const stream = manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
    return this.run(['validate', SCHEMAS], stream).trim().split('\n');
  }

  private run(args: string[], input?: string): string {
    const { status, stdout, stderr } = spawnSync(this.program, args, {
      encoding: 'utf8',
      cwd: ROOT,
      input,
      maxBuffer: 64 << 20,
    });
    if (status !== 0) throw new Error(stderr);
    return stdout;
  }
}

/** The template of each Deployment, StatefulSet and Job. */
export function podSpecs(manifests: readonly Manifest[]): { name: string; labels: object; spec: PodSpec }[] {
  return manifests
    .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet' || kind === 'Job')
    .map(({ metadata, spec }) => ({
      name: metadata.name,
      labels: (spec.template.metadata?.labels ?? {}) as object,
      spec: spec.template.spec as PodSpec,
    }));
}
