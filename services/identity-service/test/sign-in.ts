/** What a realm gives for a password, by the device flow: the only way in that people have without a browser app. */
export interface SignedIn {
  accessToken: string;
  refreshToken: string;
  claims: { sub: string; workspace_id?: string; iat: number; realm_access?: { roles: string[] } };
}

/** Goes through Keycloak's pages as a browser would: the code, the password, the consent. Undefined: refused. */
export async function signIn(
  issuer: string,
  email: string,
  password: string,
  scope = 'openid',
): Promise<SignedIn | undefined> {
  const post = (path: string, body: Record<string, string>): Promise<Response> =>
    fetch(`${issuer}/protocol/openid-connect/${path}`, { method: 'POST', body: new URLSearchParams(body) });
  const device = (await (await post('auth/device', { client_id: 'sociograph-cli', scope })).json()) as {
    device_code: string;
    verification_uri_complete: string;
  };
  const browser = new Browser();
  let page = await browser.open(device.verification_uri_complete);
  page = await browser.submit(page, { username: email, password, credentialId: '' });
  if (/name="password"/.test(page)) return undefined;
  if (/name="accept"/.test(page)) await browser.submit(page, { accept: 'Yes' });
  const answer = await post('token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: device.device_code,
    client_id: 'sociograph-cli',
  });
  if (!answer.ok) return undefined;
  return signedIn((await answer.json()) as TokenAnswer);
}

export interface TokenAnswer {
  access_token: string;
  refresh_token: string;
}

export function signedIn({ access_token: accessToken, refresh_token: refreshToken }: TokenAnswer): SignedIn {
  const claims = JSON.parse(
    Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString('utf8'),
  ) as SignedIn['claims'];
  return { accessToken, refreshToken, claims };
}

/** Follows redirects with the cookies that it was given. */
export class Browser {
  readonly #cookies = new Map<string, string>();
  #address = '';

  /** Where the last redirect led. */
  get address(): string {
    return this.#address;
  }

  async open(address: string, body?: URLSearchParams): Promise<string> {
    const response = await fetch(address, {
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(body === undefined ? {} : { method: 'POST', body }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (name !== undefined) this.#cookies.set(name, value ?? '');
    }
    this.#address = address;
    const location = response.headers.get('location');
    const text = await response.text();
    return location === null ? text : this.open(new URL(location, address).href);
  }

  submit(page: string, fields: Record<string, string>): Promise<string> {
    const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1];
    if (action === undefined) throw new Error('the page has no form');
    const hidden = [...page.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].flatMap(([input]) => {
      const name = /name="([^"]*)"/.exec(input)?.[1];
      return name === undefined ? [] : [[name, /value="([^"]*)"/.exec(input)?.[1] ?? '']];
    });
    return this.open(
      new URL(action.replaceAll('&amp;', '&'), this.#address).href,
      new URLSearchParams({ ...(Object.fromEntries(hidden) as Record<string, string>), ...fields }),
    );
  }
}
