/** Port of a server -> port of the proxy in front of it. */
export type Redirects = ReadonlyMap<number, number>;

const HERE = [undefined, 'localhost', '127.0.0.1', '::1'];

/** "28001=41001,28009=41009", as `redirectWord` writes it. */
export function redirectsIn(text: string): Redirects {
  const pairs = text.split(',').filter(Boolean);
  return new Map(
    pairs.map((pair): [number, number] => {
      const [from, to] = pair.split('=').map(Number);
      if (!Number.isInteger(from) || !Number.isInteger(to)) throw new Error(`"${pair}" is no pair of ports`);
      return [from as number, to as number];
    }),
  );
}

export function redirectWord(redirects: Redirects): string {
  return [...redirects].map(([from, to]) => `${from}=${to}`).join(',');
}

/**
 * The arguments of `Socket.connect` with another port where one is redirected: (port, host?), ({port, host?}), or the
 * list that `net.connect` makes of either.
 */
export function redirected(args: readonly unknown[], redirects: Redirects): unknown[] {
  const [first, ...rest] = args;
  if (Array.isArray(first)) {
    // Node marks its own list by a symbol: the list stays, its options are exchanged.
    first[0] = optionsElsewhere(first[0], redirects);
    return [...args];
  }
  if (typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first))) {
    const host = typeof rest[0] === 'string' ? rest[0] : undefined;
    return [portElsewhere(Number(first), host, redirects), ...rest];
  }
  return [optionsElsewhere(first, redirects), ...rest];
}

function optionsElsewhere(options: unknown, redirects: Redirects): unknown {
  if (typeof options !== 'object' || options === null) return options;
  const { port, host } = options as { port?: number | string; host?: string };
  if (port === undefined) return options;
  const other = portElsewhere(Number(port), host, redirects);
  return other === Number(port) ? options : { ...options, port: other };
}

function portElsewhere(port: number, host: string | undefined, redirects: Redirects): number {
  return HERE.includes(host) ? (redirects.get(port) ?? port) : port;
}
