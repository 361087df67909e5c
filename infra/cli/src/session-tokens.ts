import { issued, OAuthRefused, OidcClient, RenewedTokens, type TokenSource } from '@sociograph/api-client';
import { NotLoggedIn } from './failures';
import type { Session, SessionFile } from './session-file';

/**
 * Tokens of a stored login. A new pair is stored before it is used, one process at a time; a process that finds that
 * another one has refreshed meanwhile takes that one's token.
 */
export function sessionTokens(file: SessionFile, session: Session, signal?: AbortSignal): TokenSource {
  const { accessToken, renewAt } = session;
  return new RenewedTokens((refused) => file.locked(() => renewed(file, refused), signal), {
    accessToken,
    renewAt,
  });
}

async function renewed(file: SessionFile, refused: string | undefined): Promise<Session> {
  const session = file.read();
  if (session === undefined) throw new NotLoggedIn('You are logged out: "sociograph login" logs you in.');
  if (session.accessToken !== refused && Date.now() < session.renewAt) return session;
  if (session.refreshToken === undefined) {
    throw new NotLoggedIn(
      'The token of the service account has ended: set SOCIOGRAPH_CLIENT_ID and SOCIOGRAPH_CLIENT_SECRET.',
    );
  }
  const next = await refreshed(session, session.refreshToken);
  file.write(next);
  return next;
}

async function refreshed(session: Session, refreshToken: string): Promise<Session> {
  const client = await OidcClient.discover(session.issuer, session.clientId);
  try {
    const answer = await client.refresh(refreshToken);
    return { ...session, ...issued(answer), refreshToken: answer.refresh_token ?? refreshToken };
  } catch (error) {
    if (!(error instanceof OAuthRefused) || error.code !== 'invalid_grant') throw error;
    throw new NotLoggedIn('Your login has ended: "sociograph login" logs you in again.');
  }
}
