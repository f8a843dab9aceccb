import { describe, expect, it } from 'vitest';
import { allowList } from '#core/vendor/allow-list.ts';
import type { VendorRequest } from '#core/ports/vendor.ts';

const list = allowList({
  headers: ['accept', 'authorization'],
  rpcs: [{ endpoint: 'api.example.com:443', rpc: '/a.B/Read' }],
  requests: [
    {
      origin: 'https://api.example.com',
      method: 'GET',
      path: '/v1/calls/{id}',
      parameters: { id: /\d+/ },
      query: { limit: (value) => /^\d+$/.test(value) },
    },
    { origin: 'https://api.example.com', method: 'POST', path: '/v1/search', body: (text) => text === 'read' },
  ],
});

function request(method: VendorRequest['method'], url: string, more: Partial<VendorRequest> = {}): VendorRequest {
  return { instance: 'x', method, url, purpose: 'poll', timeoutMs: 1, signal: new AbortController().signal, ...more };
}

describe('an allow-list', () => {
  it.each([
    ['another method', request('POST', 'https://api.example.com/v1/calls/1')],
    ['another host', request('GET', 'https://evil.example.com/v1/calls/1')],
    ['another port', request('GET', 'https://api.example.com:8443/v1/calls/1')],
    ['plain HTTP', request('GET', 'http://api.example.com/v1/calls/1')],
    ['credentials in the URL', request('GET', 'https://a:b@api.example.com/v1/calls/1')],
    ['a fragment', request('GET', 'https://api.example.com/v1/calls/1#x')],
    ['a longer path', request('GET', 'https://api.example.com/v1/calls/1/delete')],
    ['an encoded slash', request('GET', 'https://api.example.com/v1/calls/1%2Fdelete')],
    ['a doubled slash', request('GET', 'https://api.example.com//v1/calls/1')],
    ['a parameter that does not match', request('GET', 'https://api.example.com/v1/calls/all')],
    ['a query parameter that nobody listed', request('GET', 'https://api.example.com/v1/calls/1?_method=DELETE')],
    ['a query parameter twice', request('GET', 'https://api.example.com/v1/calls/1?limit=1&limit=2')],
    ['a query value that does not match', request('GET', 'https://api.example.com/v1/calls/1?limit=x')],
    [
      'a header that nobody listed',
      request('GET', 'https://api.example.com/v1/calls/1', { headers: { 'X-HTTP-Method-Override': 'DELETE' } }),
    ],
    ['a body where there is none', request('GET', 'https://api.example.com/v1/calls/1', { body: new Uint8Array(1) })],
    [
      'a body that is not the one',
      request('POST', 'https://api.example.com/v1/search', { body: Buffer.from('write') }),
    ],
    ['no body where one is asked for', request('POST', 'https://api.example.com/v1/search')],
    ['no URL', request('GET', 'nonsense')],
  ])('refuses %s', (_what, given) => {
    expect(() => list.request(given)).toThrow(expect.objectContaining({ code: 'not_allowed' }));
  });

  it('permits what is on it, and names it without ids', () => {
    expect(list.request(request('GET', 'https://api.example.com/v1/calls/17?limit=5'))).toEqual({
      operation: 'GET /v1/calls/{id}',
      url: 'https://api.example.com/v1/calls/17?limit=5',
    });
  });

  it('has the URL sent that was checked: dots in a path are resolved before the check', () => {
    const permit = list.request(request('GET', 'https://api.example.com/v1/other/../calls/17'));
    expect(permit.url).toBe('https://api.example.com/v1/calls/17');
  });

  it.each([
    ['api.example.com:443', '/a.B/Write'],
    ['evil.example.com:443', '/a.B/Read'],
  ])('refuses the call %s %s', (endpoint, rpc) => {
    const given = {
      endpoint,
      rpc,
      instance: 'x',
      metadata: {},
      purpose: 'poll',
      signal: new AbortController().signal,
    } as const;
    expect(() => list.rpc(given)).toThrow(expect.objectContaining({ code: 'not_allowed' }));
  });
});
