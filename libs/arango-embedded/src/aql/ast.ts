/** Expressions. */
export type Expr =
  | { type: 'value'; value: unknown }
  | { type: 'bind'; name: string }
  | { type: 'name'; name: string }
  | { type: 'collection'; name: string }
  | { type: 'array'; items: Expr[] }
  | { type: 'object'; members: { key: Expr; value: Expr }[] }
  | { type: 'attribute'; of: Expr; name: Expr }
  | { type: 'element'; of: Expr; index: Expr }
  | {
      type: 'expand';
      of: Expr;
      levels: number;
      filter?: Expr;
      limit?: [Expr, Expr];
      project?: Expr;
      suffix: Suffix[];
    }
  | { type: 'call'; name: string; args: Expr[] }
  | { type: 'not'; operand: Expr }
  | { type: 'sign'; operator: '+' | '-'; operand: Expr }
  | { type: 'and' | 'or'; left: Expr; right: Expr }
  | { type: 'compare'; operator: CompareOperator; left: Expr; right: Expr; quantifier?: Quantifier }
  | { type: 'arithmetic'; operator: '+' | '-' | '*' | '/' | '%'; left: Expr; right: Expr }
  | { type: 'range'; low: Expr; high: Expr }
  | { type: 'choice'; condition: Expr; then?: Expr; otherwise: Expr }
  | { type: 'subquery'; query: Query };

export type CompareOperator =
  '==' | '!=' | '<' | '<=' | '>' | '>=' | 'IN' | 'NOT IN' | 'LIKE' | 'NOT LIKE' | '=~' | '!~'; // prettier-ignore
export type Quantifier = 'ANY' | 'ALL' | 'NONE';
/** What follows `[*]` is applied to each element. */
export type Suffix = { name: Expr } | { index: Expr };

export type Direction = 'OUTBOUND' | 'INBOUND' | 'ANY';
export type CollectionRef = { name: string } | { bind: string };

export interface Traversal {
  type: 'traverse';
  variables: string[];
  min: Expr;
  max: Expr;
  direction: Direction;
  start: Expr;
  edges: { direction: Direction; collection: CollectionRef }[];
  prune?: Expr;
  options?: Expr;
}

/** `FOR v, e IN ANY SHORTEST_PATH a TO b edges`. */
export interface ShortestPath {
  type: 'shortest';
  variables: string[];
  from: Expr;
  to: Expr;
  edges: { direction: Direction; collection: CollectionRef }[];
  options?: Expr;
}

export type Statement =
  | { type: 'for'; variable: string; in: Expr }
  | Traversal
  | ShortestPath
  | { type: 'let'; variable: string; value: Expr }
  | { type: 'filter'; condition: Expr }
  | { type: 'sort'; keys: { by: Expr; descending: boolean | Expr }[] }
  | { type: 'limit'; offset?: Expr; count: Expr }
  | Collect
  | { type: 'return'; value: Expr; distinct: boolean };

export interface Collect {
  type: 'collect';
  keys: { variable: string; by: Expr }[];
  aggregates: { variable: string; function: string; argument: Expr }[];
  into?: { variable: string; project?: Expr; keep?: string[] };
  countInto?: string;
}

export interface Query {
  statements: Statement[];
}
