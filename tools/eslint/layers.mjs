// The layer rule of a service: dependencies point inwards, decided by the exact folder of both files.
import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';

// layer -> layers it may import; '' stands for the files beside main.ts (config, metrics).
const inward = {
  domain: ['domain'],
  application: ['domain', 'application'],
  projections: ['domain', 'projections'],
  infrastructure: ['domain', 'application', 'projections', 'infrastructure', ''],
  presentation: ['domain', 'application', 'projections', 'presentation', ''],
};

// layer -> packages it may import; a layer that is not listed is not restricted here.
const packages = {
  domain: ['@sociograph/kernel'],
  application: ['@sociograph/kernel', '@sociograph/contracts'],
  projections: ['@sociograph/kernel', '@sociograph/contracts'],
};

const drivers =
  /^(prisma|@prisma\/.+|pg|ioredis|kafkajs|arangojs|amqplib|@aws-sdk\/.+|@golevelup\/.+)(\/.*)?$/;

/** `services/x/src/domain/deep/y.ts` -> { service: 'x', layer: 'domain' }; undefined outside services' sources. */
function place(file, root) {
  const [top, service, src, ...rest] = relative(root, file).split(sep);
  if (top !== 'services' || src !== 'src') return undefined;
  return { service, layer: rest.length > 1 ? rest[0] : '' };
}

function fault(file, source, root) {
  const from = place(file, root);
  if (from === undefined || file.endsWith('.spec.ts')) return undefined;
  if (source.startsWith('.')) {
    const target = resolve(dirname(file), source);
    if (target.includes(`${sep}generated${sep}`)) {
      return from.layer === 'infrastructure' || from.layer === ''
        ? undefined
        : 'generated clients belong to infrastructure';
    }
    const to = place(target, root);
    if (to === undefined || to.service !== from.service) return 'leaves the sources of this service';
    const allowed = inward[from.layer];
    if (allowed !== undefined && !allowed.includes(to.layer)) {
      return `${from.layer} must not import ${to.layer === '' ? 'the files beside main.ts' : to.layer}`;
    }
    return undefined;
  }
  if (drivers.test(source) && from.layer !== 'infrastructure') {
    return 'drivers are imported under infrastructure or in libs only';
  }
  const allowed = packages[from.layer];
  if (allowed !== undefined && !allowed.includes(source)) {
    return builtinModules.includes(source) || source.startsWith('node:')
      ? `${from.layer} uses no module of Node: declare a port`
      : `${from.layer} may import ${allowed.join(', ')} and layers inside it only`;
  }
  return undefined;
}

/** A package of ours is imported by its name alone, and only libs are packages that others may import. */
function packageFault(source, root) {
  const [scope, name, ...inside] = source.split('/');
  if (scope !== '@sociograph') return undefined;
  if (inside.length > 0) return 'reaches into a package: import what its barrel exports';
  return existsSync(join(root, 'libs', name)) ? undefined : 'only libs may be imported';
}

function ruleOf(fault) {
  return {
    meta: { type: 'problem', schema: [], messages: { layer: "'{{source}}': {{fault}}" } },
    create(context) {
      const check = (node) => {
        const source = node.source?.value;
        if (typeof source !== 'string') return;
        const found = fault(source, context);
        if (found !== undefined) context.report({ node, messageId: 'layer', data: { source, fault: found } });
      };
      return {
        ImportDeclaration: check,
        ExportNamedDeclaration: check,
        ExportAllDeclaration: check,
        ImportExpression: check,
      };
    },
  };
}

export const layers = {
  rules: {
    layers: ruleOf((source, { filename, cwd }) => fault(filename, source, cwd)),
    packages: ruleOf((source, { cwd }) => packageFault(source, cwd)),
  },
};
