import { peerAddress } from './peer-address';

describe('the address of a peer', () => {
  it.each([
    // Behind the gateway: its own entry, whatever the client wrote before it.
    ['127.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['::ffff:127.0.0.1', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['10.1.2.3', ' 2001:db8::1 ', '2001:db8::1'],
    ['172.31.0.9', '::ffff:203.0.113.7', '203.0.113.7'],
    ['192.168.1.1', '203.0.113.7', '203.0.113.7'],
    ['fd00::5', '203.0.113.7', '203.0.113.7'],
    ['::1', '203.0.113.7', '203.0.113.7'],
    // No gateway, or no address.
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['127.0.0.1', 'somebody', '127.0.0.1'],
    ['127.0.0.1', '203.0.113.7, ', '127.0.0.1'],
    ['172.32.0.1', '203.0.113.7', '172.32.0.1'],
    ['198.51.100.9', '203.0.113.7', '198.51.100.9'],
    ['2001:db8::9', '203.0.113.7', '2001:db8::9'],
    [undefined, '203.0.113.7', undefined],
    ['', '203.0.113.7', undefined],
  ])('of %s with X-Forwarded-For %s is %s', (remote, forwardedFor, peer) => {
    expect(peerAddress(remote, forwardedFor)).toBe(peer);
  });
});
