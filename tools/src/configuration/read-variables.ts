import * as ts from 'typescript';

export interface Variable {
  name: string;
  /** What is used without it; undefined when it is needed, '' when it may be left out. */
  fallback: string | undefined;
  /** Texts that it may be; undefined when it is no choice. */
  choices: string[] | undefined;
  /** The comment above it, one line. */
  about: string;
}

interface Property {
  name: string;
  value: ts.Expression;
  about: string;
}

type Fragments = ReadonlyMap<string, Property[]>;

/**
 * The variables that a `config.ts` reads: the properties of its `const schema = z.object({...})`, with what it spreads from
 * `fragments` (the text of the shared ones) and from its own constants. Throws for a form that is not known, so that nothing
 * is left out of the documents in silence.
 */
export function readVariables(config: string, fragments: string): Variable[] {
  const known = new Map([...fragmentsOf(parse(fragments)), ...fragmentsOf(parse(config))]);
  const schema = constants(parse(config)).get('schema');
  if (schema === undefined || !ts.isCallExpression(schema))
    throw new Error('There is no "const schema = z.object(...)".');
  const [shape] = schema.arguments;
  if (shape === undefined || !ts.isObjectLiteralExpression(shape))
    throw new Error('The schema is no literal.');
  const byName = new Map<string, Variable>();
  for (const property of propertiesOf(shape, known)) byName.set(property.name, variableOf(property, known));
  return [...byName.values()];
}

function parse(text: string): ts.SourceFile {
  return ts.createSourceFile('config.ts', text, ts.ScriptTarget.ES2022, true);
}

function constants(file: ts.SourceFile): Map<string, ts.Expression> {
  const found = new Map<string, ts.Expression>();
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations)
      if (ts.isIdentifier(name) && initializer !== undefined) found.set(name.text, initializer);
  }
  return found;
}

function fragmentsOf(file: ts.SourceFile): Fragments {
  const found = new Map<string, Property[]>();
  for (const [name, value] of constants(file))
    if (ts.isObjectLiteralExpression(value)) found.set(name, propertiesOf(value, found));
  return found;
}

function propertiesOf(literal: ts.ObjectLiteralExpression, known: Fragments): Property[] {
  return literal.properties.flatMap((property): Property[] => {
    if (ts.isSpreadAssignment(property) && ts.isIdentifier(property.expression)) {
      const spread = known.get(property.expression.text);
      if (spread === undefined) throw new Error(`${property.expression.text} is not known.`);
      return spread;
    }
    if (!ts.isPropertyAssignment(property)) throw new Error(`${property.getText()} is of no known form.`);
    return [{ name: property.name.getText(), value: property.initializer, about: commentOf(property) }];
  });
}

function commentOf(property: ts.PropertyAssignment): string {
  const [comment] = ts.getJSDocCommentsAndTags(property).filter(ts.isJSDoc);
  const text = comment === undefined ? '' : (ts.getTextOfJSDocComment(comment.comment) ?? '');
  return text.replace(/\s+/g, ' ').trim();
}

/** Follows `fragment.NAME` to where it is declared; what is said here wins. */
function variableOf({ name, value, about }: Property, known: Fragments): Variable {
  let choices: string[] | undefined;
  let fallback: string | undefined;
  let inherited: Variable | undefined;
  for (let step: ts.Expression = value; ;) {
    if (ts.isCallExpression(step) && ts.isPropertyAccessExpression(step.expression)) {
      const method = step.expression.name.text;
      const [first] = step.arguments;
      if (method === 'default') fallback ??= first === undefined ? '' : literal(first);
      if (method === 'optional') fallback ??= '';
      if (method === 'enum' && first !== undefined && ts.isArrayLiteralExpression(first))
        choices = first.elements.map(literal);
      step = step.expression.expression;
    } else if (ts.isPropertyAccessExpression(step) && ts.isIdentifier(step.expression)) {
      const wanted = step.name.text;
      const declared = known.get(step.expression.text)?.find((each) => each.name === wanted);
      if (declared !== undefined) inherited = variableOf(declared, known);
      break;
    } else break;
  }
  return {
    name,
    fallback: fallback ?? inherited?.fallback,
    choices: choices ?? inherited?.choices,
    about: about || (inherited?.about ?? ''),
  };
}

function literal(expression: ts.Expression): string {
  return ts.isStringLiteralLike(expression) ? expression.text : expression.getText().replace(/_/g, '');
}
