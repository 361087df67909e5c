/** HTTP status of each error number that this server uses (ArangoDB's own mapping). */
const STATUS: Readonly<Record<number, number>> = {
  9: 501,
  10: 400,
  11: 403,
  400: 400,
  401: 401,
  404: 404,
  405: 405,
  600: 400,
  1200: 409,
  1202: 404,
  1203: 404,
  1205: 400,
  1207: 409,
  1208: 400,
  1210: 409,
  1212: 404,
  1221: 400,
  1227: 400,
  1228: 404,
  1229: 400,
  1230: 403,
  1233: 400,
  1500: 410,
  1501: 400,
  1502: 400,
  1511: 400,
  1512: 400,
  1540: 400,
  1541: 400,
  1551: 400,
  1552: 400,
  1553: 400,
  1563: 400,
  1574: 500,
  1575: 400,
  1600: 404,
};

/** A failure with ArangoDB's error number; the number decides the HTTP status. */
export class ArangoFault extends Error {
  readonly status: number;

  constructor(
    readonly errorNum: number,
    message: string,
    status?: number,
    /** Attributes that join the envelope, e.g. `_key` and `_rev` of the document in conflict. */
    readonly extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'ArangoFault';
    this.status = status ?? STATUS[errorNum] ?? 500;
  }
}

/** The answer to everything outside the subset: 501, errorNum 9, naming the construct. */
export function unsupported(construct: string): ArangoFault {
  return new ArangoFault(9, `${construct} is not supported by arango-embedded`);
}

export function documentNotFound(): ArangoFault {
  return new ArangoFault(1202, 'document not found');
}

export function collectionNotFound(name: string): ArangoFault {
  return new ArangoFault(1203, `collection or view not found: ${name}`);
}
