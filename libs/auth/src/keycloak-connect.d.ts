// keycloak-connect publishes types for its Express middleware only; these are the two classes that are used.
declare module 'keycloak-connect/middleware/auth-utils/grant-manager' {
  import type { KeyObject } from 'node:crypto';
  // The only form of import that a module with `export =` has in a declaration file.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  import Token = require('keycloak-connect/middleware/auth-utils/token');

  class GrantManager {
    constructor(config: {
      realmUrl: string;
      clientId: string;
      verifyTokenAudience: boolean;
      publicKey: KeyObject;
    });
    validateToken(token: Token, expectedType: 'Bearer'): Promise<Token>;
  }
  export = GrantManager;
}

declare module 'keycloak-connect/middleware/auth-utils/token' {
  class Token {
    constructor(token: string, clientId?: string);
    content: Record<string, unknown>;
  }
  export = Token;
}
