import { describe, expect, it } from 'vitest';
import { addressKey, TrustedProxies } from '../../src/edge/client-address.ts';

describe('TrustedProxies', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '2001:db8::/32']);

  it('believes X-Forwarded-For from a trusted proxy only', () => {
    expect(proxies.clientAddress('203.0.113.9', '198.51.100.7')).toBe('203.0.113.9');
    expect(proxies.clientAddress('10.1.2.3', '198.51.100.7')).toBe('198.51.100.7');
  });

  it('skips trusted hops from the right and believes nothing a client put further left', () => {
    expect(proxies.clientAddress('10.1.2.3', '1.1.1.1, 198.51.100.7, 10.9.9.9')).toBe('198.51.100.7');
  });

  it('stays with the proxy when the header is empty or nonsense', () => {
    expect(proxies.clientAddress('10.1.2.3', '')).toBe('10.1.2.3');
    expect(proxies.clientAddress('10.1.2.3', 'unknown')).toBe('10.1.2.3');
    expect(proxies.clientAddress('10.1.2.3', ', ,')).toBe('10.1.2.3');
  });

  it('knows an IPv4 peer that is written as IPv6', () => {
    expect(proxies.clientAddress('0000:0000:0000:0000:0000:ffff:0a01:0203', '198.51.100.7')).toBe(
      '198.51.100.7',
    );
    expect(proxies.clientAddress('::ffff:10.1.2.3', '198.51.100.7')).toBe('198.51.100.7');
  });

  it('refuses an entry that is no address', () => {
    expect(() => new TrustedProxies(['proxy.local'])).toThrow('proxy.local');
  });
});

describe('addressKey', () => {
  it('counts an IPv6 customer by their /64 and an IPv4 one by address', () => {
    expect(addressKey('2001:db8:1:2:aaaa::1')).toBe(addressKey('2001:db8:1:2:bbbb::2'));
    expect(addressKey('2001:db8:1:2::1')).not.toBe(addressKey('2001:db8:1:3::1'));
    expect(addressKey('203.0.113.9')).toBe('203.0.113.9');
  });
});
