export type Expression =
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'array'; items: Expression[] }
  | { kind: 'object'; fields: Array<{ name: string; value: Expression }> }
  | { kind: 'name'; name: string; line: number }
  | { kind: 'field'; of: Expression; name: string }
  | { kind: 'element'; of: Expression; at: Expression }
  | { kind: 'filter'; of: Expression; name: string }
  | { kind: 'api'; method: string; argument: Expression | null }
  | { kind: 'call'; name: string; arguments: Expression[]; line: number }
  | { kind: 'method'; of: Expression; name: string; arguments: Expression[]; line: number }
  | { kind: 'not' | 'minus' | 'plus'; of: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'choice'; condition: Expression; yes: Expression; no: Expression };

export type Place = Extract<Expression, { kind: 'name' | 'field' | 'element' }>;

export type Statement =
  | { kind: 'declare'; variables: Array<{ name: string; value: Expression | null }> }
  | { kind: 'assign'; place: Place; value: Expression }
  | { kind: 'delete'; place: Place }
  | { kind: 'expression'; value: Expression }
  | { kind: 'if'; condition: Expression; yes: Statement; no: Statement | null }
  | { kind: 'while'; condition: Expression; body: Statement }
  | { kind: 'block'; statements: Statement[] }
  | { kind: 'return'; value: Expression };
