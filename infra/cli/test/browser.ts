/** What a person's browser does on Keycloak's pages: follows redirects, keeps cookies, fills in one form after another. */
export class Browser {
  private readonly cookies = new Map<string, string>();
  private url = '';
  private html = '';

  /** The text of the page, without its markup. */
  get text(): string {
    return this.html.replace(/<(script|style)[^]*?<\/\1>|<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  }

  async open(url: string): Promise<void> {
    await this.follow(url, { method: 'GET' });
  }

  /** Submits the page's form with these fields beside the hidden ones; `button` is the one that is pressed. */
  async submit(fields: Record<string, string>, button?: string): Promise<void> {
    const form = /<form[^>]*action="([^"]*)"[^>]*>([^]*?)<\/form>/.exec(this.html);
    if (form === null) throw new Error(`there is no form on this page: ${this.text.slice(0, 300)}`);
    const body = new URLSearchParams(fields);
    for (const [input] of (form[2] ?? '').matchAll(/<input[^>]*>/g)) {
      const name = attribute(input, 'name');
      const type = attribute(input, 'type');
      if (name !== undefined && (type === 'hidden' || name === button))
        body.set(name, attribute(input, 'value') ?? '');
    }
    await this.follow(new URL(unescaped(form[1] ?? ''), this.url).href, { method: 'POST', body });
  }

  private async follow(url: string, request: RequestInit): Promise<void> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...request, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location !== null) return this.follow(new URL(location, url).href, { method: 'GET' });
    this.url = url;
    this.html = await response.text();
  }
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value === undefined ? undefined : unescaped(value);
}

function unescaped(text: string): string {
  return text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'");
}
