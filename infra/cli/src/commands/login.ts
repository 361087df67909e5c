import { clientToken, issued, OidcClient } from '@sociograph/api-client';
import type { Command } from '../command';
import { NotLoggedIn, UsageError } from '../failures';
import { principalIn } from '../principal';

export const login: Command = {
  name: 'login',
  summary: 'log in: a code that you confirm in a browser',
  details:
    'The tokens are kept in $XDG_CONFIG_HOME/sociograph/<profile>.json (mode 0600) and never printed.\n' +
    'With --client-credentials a service account logs in, without a browser: SOCIOGRAPH_CLIENT_ID and\n' +
    'SOCIOGRAPH_CLIENT_SECRET. Scripts need no login at all: every command takes these two variables.',
  options: {
    'client-credentials': { type: 'boolean', help: 'as a service account of the environment' },
  },
  async run({ args, connection, output, terminal }) {
    const { url, issuer } = connection.addresses(rememberedAddresses(() => connection.file.read()));
    if (args.flag('client-credentials')) {
      const client = connection.givenClient() ?? connection.stackClient();
      if (client === undefined)
        throw new UsageError('SOCIOGRAPH_CLIENT_ID and SOCIOGRAPH_CLIENT_SECRET are needed');
      const { tokenUrl } = await OidcClient.discover(issuer, client.clientId);
      const token = await clientToken({ tokenUrl, ...client });
      connection.file.write({ url, issuer, clientId: client.clientId, ...token });
      const who = { url, ...principalIn(token.accessToken) };
      return output.say(`Logged in to ${url} as ${client.clientId}.`, who);
    }
    const client = await OidcClient.discover(issuer, connection.clientId);
    const device = await client.startDevice();
    output.notice(
      `Open ${device.verification_uri_complete ?? device.verification_uri}\n` +
        `and confirm the code ${device.user_code} within ${Math.floor(device.expires_in / 60)} minutes.`,
      {
        verificationUri: device.verification_uri,
        verificationUriComplete: device.verification_uri_complete,
        userCode: device.user_code,
        expiresInSeconds: device.expires_in,
      },
    );
    const answer = await client.awaitDevice(device, { signal: terminal.signal });
    const refreshToken = answer.refresh_token;
    connection.file.write({
      url,
      issuer,
      clientId: client.clientId,
      ...issued(answer),
      ...(refreshToken === undefined ? {} : { refreshToken }),
    });
    const who = principalIn(answer.access_token);
    output.say(`Logged in to ${url} as ${who.name}, workspace ${who.workspaceId ?? 'none'}.`, {
      url,
      ...who,
    });
    if (who.workspaceId === undefined)
      output.note('This account belongs to no workspace: it may see nothing yet.');
  },
};

export const logout: Command = {
  name: 'logout',
  summary: 'end the login here and at the login server',
  async run({ connection, output, terminal }) {
    await connection.file.locked(async () => {
      let session;
      try {
        session = connection.file.read();
      } finally {
        // Whatever happens to the rest: here the tokens are gone.
        connection.file.remove();
      }
      if (session === undefined) throw new NotLoggedIn('You are not logged in.');
      if (session.refreshToken !== undefined) {
        const client = await OidcClient.discover(session.issuer, session.clientId);
        await client.revoke(session.refreshToken);
      }
      output.say(`Logged out of ${session.url}.`, { url: session.url });
    }, terminal.signal);
  },
};

export const whoami: Command = {
  name: 'whoami',
  summary: 'who is logged in, where, and with which roles',
  async run({ connection, output }) {
    const { url, tokens, via } = await connection.identity();
    output.record({ url, via, ...principalIn(await tokens.token()) });
  },
};

/** Where the last login was; a file that cannot be used any more does not keep anybody from a new login. */
function rememberedAddresses(read: () => { url: string; issuer: string } | undefined): {
  url?: string;
  issuer?: string;
} {
  try {
    const { url, issuer } = read() ?? {};
    return { ...(url === undefined ? {} : { url }), ...(issuer === undefined ? {} : { issuer }) };
  } catch {
    return {};
  }
}
