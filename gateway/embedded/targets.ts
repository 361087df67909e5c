/**
 * Where targets of kong.yml really are, as DNS would say it elsewhere: `key-service:3000=127.0.0.1:47100|127.0.0.1:47101,
 * redis-cache:6379=127.0.0.1:47003`. A target without an entry is its own address.
 */
export type Addresses = ReadonlyMap<string, string[]>;

export function readAddresses(text: string): Addresses {
  const addresses = new Map<string, string[]>();
  for (const entry of text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)) {
    const [target = '', real = ''] = entry.split('=');
    const list = real.split('|').filter(Boolean);
    const shape = /^[A-Za-z0-9.-]+:\d{1,5}$/;
    if (!shape.test(target) || list.length === 0 || !list.every((address) => shape.test(address))) {
      throw new Error(`GATEWAY_HOSTS holds "${entry}", which is not like key-service:3000=127.0.0.1:47100.`);
    }
    addresses.set(target, list);
  }
  return addresses;
}

export interface Address {
  /** As kong.yml names it: the Host header. */
  target: string;
  host: string;
  port: number;
}

/** The targets of one upstream in turn, those left out that are not healthy. */
export class RoundRobin {
  readonly list: readonly Address[];
  private position = 0;

  constructor(
    targets: readonly string[],
    addresses: Addresses,
    private readonly isHealthy: (address: Address) => boolean = () => true,
  ) {
    this.list = targets.flatMap((target) =>
      (addresses.get(target) ?? [target]).map((address) => parse(target, address)),
    );
  }

  /** Undefined when no target is healthy. */
  next(): Address | undefined {
    for (let tried = 0; tried < this.list.length; tried += 1) {
      const address = this.list[this.position % this.list.length] as Address;
      this.position += 1;
      if (this.isHealthy(address)) return address;
    }
    return undefined;
  }
}

function parse(target: string, address: string): Address {
  const colon = address.lastIndexOf(':');
  return { target, host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
