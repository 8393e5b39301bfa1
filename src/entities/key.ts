import { isObject, parseJson } from '../lib/json.ts';
import { isAsymmetricJwk } from '../lib/jwk.ts';
import { isPair, privateKeyOf, publicKeyOf } from '../lib/pem.ts';
import { array, foreign, record, string } from '../schema/field.ts';
import { tags, timestamp, uuid } from '../schema/typedefs.ts';
import { validate } from '../schema/validate.ts';
import { isReference } from '../schema/vault-reference.ts';
import { violation } from '../schema/violation.ts';
import { defineEntity, type RowOf } from './entity.ts';

const pem = record(
  {
    private_key: string({ required: false, referenceable: true, encrypted: true }),
    public_key: string({ required: false, referenceable: true }),
  },
  { required: false, entity_checks: [{ at_least_one_of: ['private_key', 'public_key'] }], custom_validator: pemError },
);

/** A cryptographic key, as JWK or as PEM. */
export const key = defineEntity({
  name: 'keys',
  endpointKey: 'name',
  cacheKey: ['kid', 'set'],
  schema: record(
    {
      id: uuid,
      set: foreign('key_sets', { required: false, on_delete: 'cascade' }),
      name: string({ required: false, unique: true }),
      kid: string({ required: true, unique: false }),
      jwk: string({ referenceable: true, encrypted: true }),
      pem,
      tags,
      created_at: timestamp,
      updated_at: timestamp,
    },
    {
      required: true,
      entity_checks: [
        { mutually_exclusive: ['pem', 'jwk'] },
        { at_least_one_of: ['pem', 'jwk'] },
        { custom_entity_check: { field_sources: ['jwk', 'pem', 'kid'], fn: jwkError } },
      ],
    },
  ),
});

export type Key = RowOf<typeof key>;

/** What a JSON Web Key may say. Source: kong/db/schema/typedefs.lua of Kong 3.9. */
const jwkMembers = record(
  {
    issuer: string(),
    kty: string(),
    use: string(),
    key_ops: array(string()),
    alg: string(),
    kid: string({ required: true }),
    x5u: string(),
    x5c: array(string()),
    x5t: string(),
    'x5t#S256': string(),
    k: string(),
    x: string(),
    y: string(),
    crv: string(),
    n: string(),
    e: string(),
    d: string(),
    p: string(),
    q: string(),
    dp: string(),
    dq: string(),
    qi: string(),
    oth: string(),
    r: string(),
    t: string(),
  },
  { required: true },
);

function jwkError({ jwk, kid }: { readonly jwk?: string | null; readonly kid: string }): string | undefined {
  if (typeof jwk !== 'string') return undefined;
  const members = parseJson(jwk);
  if (!isObject(members)) return 'could not json decode jwk string';
  if (members['kid'] !== kid) return 'kid in jwk.kid must be equal to keys.kid';
  if (!isAsymmetricJwk(members)) return 'could not load JWK, likely not a valid key';
  const checked = validate(jwkMembers, members);
  return 'errors' in checked ? violation(checked.errors) : undefined;
}

type PemTexts = { readonly [K in 'private_key' | 'public_key']?: string | null };

function pemError({ private_key, public_key }: PemTexts): string | undefined {
  if (isReference(private_key) || isReference(public_key)) return undefined;
  const publicKey = public_key ? publicKeyOf(public_key) : undefined;
  if (publicKey === null) return 'could not load public key';
  const privateKey = private_key ? privateKeyOf(private_key) : undefined;
  if (privateKey === null) return 'could not load private key';
  return privateKey && publicKey && !isPair(privateKey, publicKey) ? 'public key does not match private key' : undefined;
}
