import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../repository';
import { prometheusRule } from './prometheus-rule';

/** What Kustomize may not read from outside its folder: the gateway's configuration and the tested rules. */
function main(): void {
  const rules = join(ROOT, 'infra/prometheus/rules');
  const texts = readdirSync(rules)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .map((name) => readFileSync(join(rules, name), 'utf8'));
  writeFileSync(join(ROOT, 'k8s/base/prometheus-rules.yaml'), prometheusRule(texts));
  copyFileSync(join(ROOT, 'gateway/kong.yml'), join(ROOT, 'k8s/base/kong.yml'));
}

main();
