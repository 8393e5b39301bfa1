import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trustOnly } from '../../src/lib/outbound.ts';
import { validate } from '../../src/schema/validate.ts';
import { violation } from '../../src/schema/violation.ts';
import { hcv } from '../../src/vaults/hcv.ts';
import { type HashicorpVault, startHashicorpVault } from '../support/hashicorp-vault.ts';
import { CERTIFICATE_FILE } from '../support/upstream.ts';

let vault: HashicorpVault;
beforeEach(() => {
  vault = startHashicorpVault();
  vault.first.set('openai', { key: 'sk-1', other: 'x' });
  vault.first.set('path/to/a secret', { key: 'sk-2' });
  vault.second.set('openai', [{ key: 'old' }, null, { key: 'new' }]);
});
afterEach(() => vault.stop());

const TOKEN = { token: 'root' };
const SECOND = { ...TOKEN, kv: 'v2', mount: 'kv/team' };
const APPROLE = { auth_method: 'approle', approle_role_id: 'role-id', approle_secret_id: 'secret-id' };

function open(fields: object, server: Pick<HashicorpVault, 'config'> = vault, folder = '/nowhere') {
  const filled = validate(hcv.config, { ...server.config, ...fields });
  if ('errors' in filled) throw new Error(violation(filled.errors));
  const client = hcv.open(filled.value, { environment: {}, path: path => join(folder, path) });
  return (name: string, version: number | null = null) => client.read(name, version, AbortSignal.timeout(4000));
}

describe('reads', () => {
  test.each<[string, object, string, number | null, object, string]>([
    ['of the engine v1', TOKEN, 'openai', null, { key: 'sk-1', other: 'x' }, 'GET /v1/secret/openai'],
    ['below a path', TOKEN, 'path/to/a secret', null, { key: 'sk-2' }, 'GET /v1/secret/path/to/a%20secret'],
    ['of the engine v2', SECOND, 'openai', null, { key: 'new' }, 'GET /v1/kv/team/data/openai'],
    ['in an older version', SECOND, 'openai', 1, { key: 'old' }, 'GET /v1/kv/team/data/openai?version=1'],
    [
      'of a mount with slashes around it',
      { ...SECOND, mount: '/kv/team/' },
      'openai',
      3,
      { key: 'new' },
      'GET /v1/kv/team/data/openai?version=3',
    ],
  ])('a secret %s', async (_, fields, name, version, secret, request) => {
    expect(JSON.parse(await open(fields)(name, version))).toEqual(secret);
    expect(vault.requests).toEqual([request]);
  });

  test('a secret of a namespace', async () => {
    vault.state.namespace = 'team-a';
    await expect(open(TOKEN)('openai')).rejects.toThrow('HashiCorp Vault has no such secret');
    expect(await open({ ...TOKEN, namespace: 'team-a' })('openai')).toContain('sk-1');
  });

  test('over TLS, when its certificate is trusted', async () => {
    const secure = startHashicorpVault({ tls: true });
    secure.first.set('openai', { key: 'sk-1' });
    try {
      await expect(open(TOKEN, secure)('openai')).rejects.toThrow('HashiCorp Vault cannot be reached: DEPTH_ZERO_SELF_SIGNED_CERT');
      using _ = trustOnly([await Bun.file(CERTIFICATE_FILE).text()]);
      expect(await open(TOKEN, secure)('openai')).toContain('sk-1');
    } finally {
      await secure.stop();
    }
  });
});

describe('logs in by AppRole', () => {
  test('once for all reads, and again when its token has expired', async () => {
    const read = open(APPROLE);
    await Promise.all([read('openai'), read('openai')]);
    expect(vault.requests.filter(request => request.startsWith('POST'))).toEqual(['POST /v1/auth/approle/login']);
    vault.tokens.clear();
    expect(await read('openai')).toContain('sk-1');
    expect(vault.requests.slice(-3)).toEqual(['GET /v1/secret/openai', 'POST /v1/auth/approle/login', 'GET /v1/secret/openai']);
  });

  test('once more when several reads find the token expired', async () => {
    const read = open(APPROLE);
    await read('openai');
    vault.tokens.clear();
    await Promise.all([read('openai'), read('openai'), read('path/to/a secret')]);
    expect(vault.requests.filter(request => request.startsWith('POST'))).toHaveLength(2);
  });

  test('where it is mounted', async () => {
    await open({ ...APPROLE, approle_auth_path: '/teams/approle/' })('openai');
    expect(vault.requests[0]).toBe('POST /v1/auth/teams/approle/login');
  });

  test('and tries a denied read once more, not for ever', async () => {
    const denied = () => Response.json({ errors: ['permission denied'] }, { status: 403 });
    vault.state.instead = request => (request.method === 'POST' ? Response.json({ auth: { client_token: 'useless' } }) : denied());
    await expect(open(APPROLE)('openai')).rejects.toThrow('HashiCorp Vault denies permission (403)');
    await new Promise(setImmediate);
    expect(vault.requests.length).toBeLessThanOrEqual(4);
  });

  test('after a failed login too', async () => {
    vault.state.secretId = 'another';
    const read = open(APPROLE);
    expect(await read('openai').catch(({ message }) => message)).toBe('the login by AppRole failed: HashiCorp Vault answered 400');
    vault.state.secretId = 'secret-id';
    expect(await read('openai')).toContain('sk-1');
  });

  test('with the secret id of a file, as it is by then', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    try {
      const read = open({ ...APPROLE, approle_secret_id: null, approle_secret_id_file: 'id' }, vault, folder);
      expect(await read('openai').catch(({ message }) => message)).toBe('approle_secret_id_file cannot be read: ENOENT');
      writeFileSync(join(folder, 'id'), 'secret-id\n');
      expect(await read('openai')).toContain('sk-1');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('with a wrapped secret id, which it unwraps once', async () => {
    vault.wrapped.set('wrapping', 'secret-id');
    const read = open({ ...APPROLE, approle_secret_id: 'wrapping', approle_response_wrapping: true });
    await read('openai');
    vault.tokens.clear();
    await read('openai');
    expect(vault.requests.filter(request => request.includes('unwrap'))).toEqual(['POST /v1/sys/wrapping/unwrap']);
    const late = open({ ...APPROLE, approle_secret_id: 'wrapping', approle_response_wrapping: true });
    await expect(late('openai')).rejects.toThrow(
      'the response wrapping token of the secret id cannot be unwrapped: HashiCorp Vault answered 400',
    );
  });
});

describe('cannot read', () => {
  test.each<[string, object, string, number | null, string]>([
    ['a secret that is not there', TOKEN, 'none', null, 'HashiCorp Vault has no such secret'],
    ['one of v2 that is not there', SECOND, 'none', null, 'HashiCorp Vault has no such secret'],
    ['a destroyed version', SECOND, 'openai', 2, 'HashiCorp Vault has no such secret'],
    ['a version of v1', TOKEN, 'openai', 1, 'the key-value engine v1 has no versions'],
    ['with what is no token', { token: 'root\nX: y' }, 'openai', null, 'the token is not one that HashiCorp Vault gives'],
    ['with a wrong token', { token: 's.wrong' }, 'openai', null, 'HashiCorp Vault denies permission (403)'],
    ['what is no secret', TOKEN, '../sys/seal', null, 'the name of a secret is a path without empty segments, . and ..'],
    ['an empty name', TOKEN, 'a//b', null, 'the name of a secret is a path without empty segments, . and ..'],
  ])('%s', (_, fields, name, version, message) => expect(open(fields)(name, version)).rejects.toThrow(message));

  test.each<[string, Response, string]>([
    [
      'a redirect',
      new Response(null, { status: 307, headers: { location: '/v1/secret/openai' } }),
      'answered with a redirect (307), which is not followed',
    ],
    ['garbage', new Response('<html>root</html>'), 'answered something that is not understood'],
    ['another shape', Response.json({ data: ['sk-1'] }), 'answered something that is not understood'],
    ['sealed', Response.json({ errors: ['Vault is sealed'] }, { status: 503 }), 'is sealed or in maintenance (503)'],
    ['an error', new Response('token root failed', { status: 500 }), 'answered 500'],
  ])('when Vault answers %s', async (_, response, message) => {
    vault.state.instead = () => response;
    expect(await open(TOKEN)('openai').catch(error => error.message)).toBe(`HashiCorp Vault ${message}`);
    expect(vault.requests).toHaveLength(1);
  });

  test('from where nobody listens', async () => {
    const read = open(TOKEN);
    await vault.stop();
    await expect(read('openai')).rejects.toThrow('HashiCorp Vault cannot be reached: ECONNREFUSED');
  });
});

describe('is configured', () => {
  test.each<[string, object, string]>([
    ['without a token', {}, 'token: required field missing'],
    ['without a role', { ...APPROLE, approle_role_id: null }, 'approle_role_id: required field missing'],
    ['without a secret id', { ...APPROLE, approle_secret_id: null }, 'approle_secret_id'],
    ['with two secret ids', { ...APPROLE, approle_secret_id_file: 'id' }, 'approle_secret_id_file'],
    ['by Kubernetes', { auth_method: 'kubernetes', kube_role: 'x' }, 'authentication by Kubernetes is not supported'],
    ['with another engine', { ...TOKEN, kv: 'v3' }, 'kv: expected one of: v1, v2'],
    ['with a port in the host', { ...TOKEN, host: 'vault:8200' }, 'host: must not have a port'],
    ['with a field of its own invention', { ...TOKEN, insecure: true }, 'insecure: unknown field'],
  ])('%s: refused', (_, fields, message) => expect(() => open(fields)).toThrow(message));

  test('as dumps of Kong Enterprise write it out', () => {
    open({ ...TOKEN, namespace: null, kube_role: null, kube_api_token_file: null, kube_auth_path: null, ttl: null, base64_decode: false });
  });
});
