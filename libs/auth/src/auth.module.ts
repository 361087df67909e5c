import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Clock } from '@sociograph/kernel';
import { Admission } from './admission';
import { jwksOver, KeySet } from './key-set';
import { NoRevocations, Revocations } from './revocations';
import { TokenGuard } from './token-guard';
import { TokenVerifier, type TokenRules } from './token-verifier';

export interface AuthOptions extends TokenRules {
  /** Where the realm's public keys are: `.../protocol/openid-connect/certs`. */
  jwksUrl: string;
  /** Absent: no token is ever revoked before its expiry. */
  revocations?: Revocations;
}

/** Registers the guard for all routes of the application; needs HostModule (Clock, Metrics). */
@Module({})
export class AuthModule {
  static forRoot(options: AuthOptions): DynamicModule {
    const { jwksUrl, revocations = new NoRevocations(), ...rules } = options;
    return {
      module: AuthModule,
      global: true,
      providers: [
        {
          provide: TokenVerifier,
          inject: [Clock],
          useFactory: (clock: Clock) =>
            new TokenVerifier(rules, new KeySet({ clock, fetch: jwksOver(jwksUrl) }), clock),
        },
        { provide: Revocations, useValue: revocations },
        Admission,
        { provide: APP_GUARD, useClass: TokenGuard },
      ],
      exports: [TokenVerifier, Revocations, Admission],
    };
  }
}
