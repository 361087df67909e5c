/** The same server, account and query with another path: a database, a virtual host, a number of Redis. */
export function withPath(url: string, path: string): string {
  const changed = new URL(url);
  changed.pathname = `/${path}`;
  return changed.href;
}
