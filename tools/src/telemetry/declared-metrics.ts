import * as ts from 'typescript';

export interface DeclaredMetric {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  labels: string[];
  /** The help text: what it counts, and what a rise means. */
  meaning: string;
}

const MAKERS: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram']);

/**
 * The metrics that a source declares: calls of `.counter`, `.gauge` and `.histogram` with a name, a help text and labels
 * that are literals. Throws for one of another form, so that nothing is left out of the document in silence.
 */
export function declaredMetrics(text: string): DeclaredMetric[] {
  const file = ts.createSourceFile('source.ts', text, ts.ScriptTarget.ES2022, true);
  const found: DeclaredMetric[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const type = node.expression.name.text;
      if (MAKERS.has(type)) found.push(metricOf(node, type as DeclaredMetric['type']));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function metricOf(call: ts.CallExpression, type: DeclaredMetric['type']): DeclaredMetric {
  const [name, help, labels] = call.arguments;
  const fault = (what: string): Error => new Error(`${what} of a metric is no literal: ${call.getText()}`);
  if (name === undefined || !ts.isStringLiteralLike(name)) throw fault('The name');
  if (help === undefined || !ts.isStringLiteralLike(help)) throw fault('The help text');
  return { name: name.text, type, meaning: help.text, labels: labelsOf(labels) ?? raise(fault('A label')) };
}

function labelsOf(node: ts.Expression | undefined): string[] | undefined {
  if (node === undefined) return [];
  if (ts.isAsExpression(node)) return labelsOf(node.expression);
  if (!ts.isArrayLiteralExpression(node)) return undefined;
  const texts = node.elements.map((element) => (ts.isStringLiteralLike(element) ? element.text : undefined));
  return texts.every((text) => text !== undefined) ? texts : undefined;
}

function raise(error: Error): never {
  throw error;
}
