import { type ConfidentialClient, FleetApi } from '@sociograph/api-client';
import { needed, type ServerEnvironment } from './servers';

/** The account that the demo has in a stack. */
export function demoAccount(env: ServerEnvironment): ConfidentialClient {
  return {
    tokenUrl: `${needed(env, 'OIDC_ISSUER')}/protocol/openid-connect/token`,
    clientId: needed(env, 'DEMO_CLIENT_ID'),
    clientSecret: needed(env, 'DEMO_CLIENT_SECRET'),
  };
}

/** The fleet of a stack through its gateway, as that account; a drill whose network is not the stack's says where it is. */
export function fleetApi(env: ServerEnvironment, simulatorUrl = needed(env, 'VK_SIMULATOR_URL')): FleetApi {
  return new FleetApi({ gatewayUrl: needed(env, 'GATEWAY_URL'), ...demoAccount(env), simulatorUrl });
}
