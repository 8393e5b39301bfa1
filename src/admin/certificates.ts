import { type Certificate, certificate } from '../entities/certificate.ts';
import { type Sni, sni } from '../entities/sni.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { isUuid } from '../lib/uuid.ts';
import type { Store, Write } from '../store/store.ts';
import type { Resource, WantedRow } from './resource.ts';
import { findById, newRow, schemaViolation } from './rows.ts';

/** Certificates carry the names of their SNIs, and may be named by one. Source: kong/db/dao/certificates.lua of Kong 3.9. */
export function certificateResource(store: Store, plain: Resource): Resource {
  const find = (key: string) => {
    const id = isUuid(key) ? key : store.findBy(sni, 'name', key)?.certificate.id;
    return id === undefined ? undefined : findById(store, certificate, id);
  };
  return {
    ...plain,
    find(key, toUpsert) {
      const row = find(key);
      if (!row && !toUpsert && !isUuid(key)) throw new RequestFailure(404, 'SNI not found');
      return row;
    },
    named: (key, { snis }) => ({ snis: [...new Set([snis ?? []].flat()).add(key)] }),
    writes: wanted => [...plain.writes(wanted), ...sniWrites(store, wanted)],
    removal: row => [...snisOf(store, row.id).map(removalOf), ...plain.removal(row)],
    show: row => ({ ...row, snis: snisOf(store, row.id).map(({ name }) => name) }),
  };
}

/** Those of a certificate, by name. */
function snisOf(store: Store, id: string): readonly Sni[] {
  return [...store.pointingAt(sni, 'certificate', id)].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** An update that says nothing of names leaves them, all else without names has none. */
function sniWrites(store: Store, { verb, row, given: { snis } }: WantedRow): readonly Write[] {
  if (verb === 'update' && snis === undefined) return [];
  const wanted = new Set<string>();
  for (const name of (row as Certificate).snis ?? []) {
    if (wanted.has(name)) throw snisViolation(`${name} is duplicated`);
    const owner = store.findBy(sni, 'name', name)?.certificate.id ?? row.id;
    if (owner !== row.id) throw snisViolation(`${name} already associated with existing certificate '${owner}'`);
    wanted.add(name);
  }
  const present = snisOf(store, row.id);
  const missing = wanted.difference(new Set(present.map(({ name }) => name)));
  return [
    ...present.filter(({ name }) => !wanted.has(name)).map(removalOf),
    ...[...missing].map(name => ({ kind: 'insert', entity: sni, row: newRow(store, sni, { name, certificate: { id: row.id } }) }) as const),
  ];
}

const removalOf = ({ id }: Sni): Write => ({ kind: 'remove', entity: sni, id });

const snisViolation = (message: string) => schemaViolation({ snis: message });
