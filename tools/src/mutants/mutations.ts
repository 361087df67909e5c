import ts from 'typescript';

/** One small change of one file. */
export interface Mutation {
  path: string;
  /** Counted from 1. */
  line: number;
  kind: 'operator' | 'constant' | 'removed statement' | 'swapped branches';
  start: number;
  end: number;
  replacement: string;
}

const operators: Partial<Record<ts.SyntaxKind, string>> = {
  [ts.SyntaxKind.PlusToken]: '-',
  [ts.SyntaxKind.MinusToken]: '+',
  [ts.SyntaxKind.AsteriskToken]: '/',
  [ts.SyntaxKind.SlashToken]: '*',
  [ts.SyntaxKind.PercentToken]: '*',
  [ts.SyntaxKind.LessThanToken]: '<=',
  [ts.SyntaxKind.LessThanEqualsToken]: '<',
  [ts.SyntaxKind.GreaterThanToken]: '>=',
  [ts.SyntaxKind.GreaterThanEqualsToken]: '>',
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: '!==',
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: '===',
  [ts.SyntaxKind.AmpersandAmpersandToken]: '||',
  [ts.SyntaxKind.BarBarToken]: '&&',
  [ts.SyntaxKind.QuestionQuestionToken]: '&&',
  [ts.SyntaxKind.PlusEqualsToken]: '-=',
  [ts.SyntaxKind.MinusEqualsToken]: '+=',
  [ts.SyntaxKind.AmpersandToken]: '|',
  [ts.SyntaxKind.BarToken]: '&',
  [ts.SyntaxKind.LessThanLessThanToken]: '>>',
  [ts.SyntaxKind.GreaterThanGreaterThanToken]: '<<',
};

/**
 * Every mutation of a source text. Not touched: types, imports, decorators, and what only people read (arguments of
 * loggers, help texts of metrics), since no behaviour hangs on it.
 */
export function mutationsOf(path: string, text: string): Mutation[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const found: Mutation[] = [];
  const add = (kind: Mutation['kind'], start: number, end: number, replacement: string): void => {
    const line = source.getLineAndCharacterOfPosition(start).line + 1;
    found.push({ path, line, kind, start, end, replacement });
  };
  const replace = (kind: Mutation['kind'], node: ts.Node, replacement: string): void =>
    add(kind, node.getStart(source), node.getEnd(), replacement);

  const visit = (node: ts.Node): void => {
    if (isSilent(node)) return;
    if (ts.isBinaryExpression(node)) {
      const operator = operators[node.operatorToken.kind];
      if (operator !== undefined) replace('operator', node.operatorToken, operator);
    } else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
      unary(node);
    } else if (ts.isNumericLiteral(node)) {
      replace('constant', node, String(Number(node.getText(source).replaceAll('_', '')) + 1));
    } else if (ts.isBigIntLiteral(node)) {
      replace('constant', node, `${BigInt(node.getText(source).slice(0, -1).replaceAll('_', '')) + 1n}n`);
    } else if (node.kind === ts.SyntaxKind.TrueKeyword) replace('constant', node, 'false');
    else if (node.kind === ts.SyntaxKind.FalseKeyword) replace('constant', node, 'true');
    else if (ts.isStringLiteral(node) && isValue(node)) {
      replace('constant', node, node.text === '' ? "'mutant'" : "''");
    } else if (ts.isExpressionStatement(node) && !isSuperCall(node.expression)) {
      replace('removed statement', node, ';');
    } else if (ts.isThrowStatement(node)) replace('removed statement', node, ';');
    else if (ts.isIfStatement(node)) {
      // Negating the condition swaps the branches, also where one of them is empty, and keeps the diff short.
      replace('swapped branches', node.expression, `!(${node.expression.getText(source)})`);
    } else if (ts.isConditionalExpression(node)) {
      const [yes, no] = [node.whenTrue.getText(source), node.whenFalse.getText(source)];
      const swapped = `${node.condition.getText(source)} ? ${no} : ${yes}`;
      replace('swapped branches', node, swapped);
    }
    ts.forEachChild(node, visit);
  };

  function unary(node: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression): void {
    const operand = node.operand.getText(source);
    const prefix = ts.isPrefixUnaryExpression(node);
    const other = new Map([
      [ts.SyntaxKind.PlusPlusToken, '--'],
      [ts.SyntaxKind.MinusMinusToken, '++'],
    ]).get(node.operator);
    if (other !== undefined) replace('operator', node, prefix ? `${other}${operand}` : `${operand}${other}`);
    else if (node.operator === ts.SyntaxKind.ExclamationToken) replace('operator', node, operand);
    else if (node.operator === ts.SyntaxKind.MinusToken) replace('operator', node, `(${operand})`);
  }

  visit(source);
  return found;
}

/** The text with the mutation in it. */
export function apply(text: string, mutation: Mutation): string {
  return text.slice(0, mutation.start) + mutation.replacement + text.slice(mutation.end);
}

/** The lines that the mutation changes, as a diff has them. */
export function diffOf(text: string, mutation: Mutation): string {
  const from = text.lastIndexOf('\n', mutation.start - 1) + 1;
  const next = text.indexOf('\n', mutation.end);
  const to = next === -1 ? text.length : next;
  const mark = (sign: string, part: string): string =>
    part
      .split('\n')
      .map((line) => `${sign} ${line}`)
      .join('\n');
  const after = text.slice(from, mutation.start) + mutation.replacement + text.slice(mutation.end, to);
  return `${mark('-', text.slice(from, to))}\n${mark('+', after)}`;
}

/** Types, imports, decorators, log lines and help texts. */
function isSilent(node: ts.Node): boolean {
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isDecorator(node)) return true;
  if (ts.isExpressionStatement(node)) return isSilentCall(node.expression);
  return ts.isCallExpression(node) && isSilentCall(node);
}

function isSilentCall(node: ts.Expression): boolean {
  if (!ts.isCallExpression(node)) return false;
  const callee = node.expression.getText();
  return (
    /(^|[.#])(logger|log)(\??\.\w+|\[[^\]]+\])$/.test(callee) || /\.(counter|gauge|histogram)$/.test(callee)
  );
}

/** A string that is a value: no property name, no module name, no name of an error's code in docs. */
function isValue(node: ts.StringLiteral): boolean {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent)) return parent.name !== node;
  return !ts.isExternalModuleReference(parent) && !ts.isLiteralTypeNode(parent);
}

function isSuperCall(node: ts.Expression): boolean {
  return ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword;
}
