import { BlockList, isIP } from 'node:net';

/** Where a gateway may stand: on this machine or in a private network. */
const NEAR = new BlockList();
NEAR.addSubnet('127.0.0.0', 8);
NEAR.addSubnet('10.0.0.0', 8);
NEAR.addSubnet('172.16.0.0', 12);
NEAR.addSubnet('192.168.0.0', 16);
NEAR.addAddress('::1', 'ipv6');
NEAR.addSubnet('fc00::', 7, 'ipv6');

/**
 * Who a request came from: what the gateway added to X-Forwarded-For, its last entry; what stands before it the client
 * wrote. Nothing is decided by it. Of a caller from elsewhere, who came past the gateway, the header says nothing.
 */
export function peerAddress(
  remote: string | undefined,
  forwardedFor: string | undefined,
): string | undefined {
  const direct = plain(remote);
  if (direct === undefined || !NEAR.check(direct, isIP(direct) === 6 ? 'ipv6' : 'ipv4')) return direct;
  return plain(forwardedFor?.split(',').at(-1)) ?? direct;
}

/** An IPv4 address in IPv6's clothes is shown as what it is; what is no address is none. */
function plain(text: string | undefined): string | undefined {
  const address = text?.trim().replace(/^::ffff:(?=\d+\.)/i, '') ?? '';
  return isIP(address) === 0 || address.length > 64 ? undefined : address;
}
