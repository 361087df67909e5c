import ts from 'typescript';

/** One place where an error with a stable code is made. */
export interface ErrorCode {
  code: string;
  /** Undefined where the kind is not written beside the code. */
  kind: string | undefined;
  /** The public sentence; what is filled in at run time stands as an ellipsis. */
  message: string | undefined;
  path: string;
}

const CODE = /^[A-Z][A-Z0-9_]*(\.[A-Z0-9_]+)+$/;

/** Every code in a source text, in order: `code: 'A.B'` in an object, or 'A.B' as an argument of a call. */
export function errorCodesOf(path: string, text: string): ErrorCode[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const found: ErrorCode[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) && CODE.test(node.text))
      found.push({ code: node.text, path, ...around(node) });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function around(node: ts.StringLiteral): { kind: string | undefined; message: string | undefined } {
  const object = ts.findAncestor(node, ts.isObjectLiteralExpression);
  const property = (name: string): ts.Expression | undefined =>
    object?.properties.filter(ts.isPropertyAssignment).find((each) => each.name.getText() === name)
      ?.initializer;
  if (ts.findAncestor(node, ts.isPropertyAssignment)?.name.getText() === 'code') {
    return { kind: sentenceOf(property('kind')), message: sentenceOf(property('message')) };
  }
  const call = ts.isCallExpression(node.parent) || ts.isNewExpression(node.parent) ? node.parent : undefined;
  const others = (call?.arguments ?? []).filter((argument) => argument !== node).map(sentenceOf);
  return { kind: undefined, message: others.find((text) => text?.includes(' ')) };
}

function sentenceOf(node: ts.Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  // A sentence of its own for some, this one for the rest.
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken)
    return sentenceOf(node.right);
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map((span) => `...${span.literal.text}`).join('');
}

/** The table of docs/errors.md: one row a code, with every folder that makes it. */
export function codeTable(codes: readonly ErrorCode[]): string {
  const names = [...new Set(codes.map(({ code }) => code))].sort();
  const rows = names.map((name) => {
    const all = codes.filter(({ code }) => code === name);
    const first = <T>(of: (code: ErrorCode) => T | undefined): T | undefined =>
      all.map(of).find((x) => x !== undefined);
    const where = [...new Set(all.map(({ path }) => projectOf(path)))].join(', ');
    const cells = [
      `\`${name}\``,
      first(({ kind }) => kind) ?? '',
      first(({ message }) => message) ?? '',
      where,
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| code | kind | says | made in |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** Replaces what stands between the two marks. */
export function between(text: string, mark: string, content: string): string {
  const [from, to] = [`<!-- ${mark} -->`, `<!-- end of ${mark} -->`];
  const [start, end] = [text.indexOf(from), text.indexOf(to)];
  if (start === -1 || end < start) throw new Error(`the marks "${mark}" are missing`);
  return `${text.slice(0, start + from.length)}\n\n${content}\n\n${text.slice(end)}`;
}

function projectOf(path: string): string {
  const [top = '', name = ''] = path.split('/');
  return ['libs', 'services', 'infra'].includes(top) ? name : top;
}
