import { caCertificate } from '../entities/ca-certificate.ts';
import { certificate } from '../entities/certificate.ts';
import type { Entity, Row } from '../entities/entity.ts';
import { type Service, service } from '../entities/service.ts';
import type { Change, Store } from '../store/store.ts';
import { pairIn } from './certificate-pairs.ts';
import { keyOf } from './row-pointer.ts';
import type { Secrets } from './secrets.ts';

/** What `fetch` is told of TLS beyond what is usual: the pair to show, the authorities to trust in place of the usual ones. */
export type UpstreamTls = Readonly<NonNullable<BunFetchRequestInit['tls']>>;

/** Compiles what services say of TLS. */
export class ServiceTls {
  private readonly store: Store;
  private readonly secrets: Pick<Secrets, 'resolve'>;

  constructor(store: Store, secrets: Pick<Secrets, 'resolve'>) {
    this.store = store;
    this.secrets = secrets;
  }

  /** Ids of the services that point at a certificate of the changes. */
  *touchedBy(changes: readonly Change[]): Iterable<string> {
    for (const { entity, id } of changes) {
      const field = entity.name === certificate.name ? 'client_certificate' : 'ca_certificates';
      if (isCertificate(entity)) for (const row of this.store.pointingAt(service, field, id)) yield row.id;
    }
  }

  /**
   * Says of a service what `fetch` is told, certificates being as the changes leave them; null: nothing beyond what is usual.
   * That throws an UnresolvedReference, and a ConfigurationError where secrets are no certificate with its key.
   */
  after(changes: readonly Change[]): (service: Service) => UpstreamTls | null {
    const written = new Map(changes.filter(({ entity }) => isCertificate(entity)).map(change => [keyOf(change), change]));
    const find = <R extends Row>(entity: Entity<R>, id: string): R => {
      const change = written.get(keyOf({ entity, id }));
      const row = change ? (change.row as R | null) : this.store.find(entity, id);
      if (!row) throw new Error(`the store has no row ${id} of ${entity.name}`);
      return row;
    };
    return ({ client_certificate, ca_certificates, tls_verify }) => {
      const trusted = (ca_certificates ?? []).map(id => find(caCertificate, id).cert);
      const tls: UpstreamTls = {
        ...(client_certificate && pairIn(find(certificate, client_certificate.id), this.secrets)),
        ...(trusted.length > 0 && { ca: trusted }),
        // Kong verifies only when it is told to; here certificates are verified unless the service says that they shall not be.
        ...(tls_verify === false && { rejectUnauthorized: false }),
      };
      return Object.keys(tls).length > 0 ? tls : null;
    };
  }
}

const isCertificate = ({ name }: { readonly name: string }) => name === certificate.name || name === caCertificate.name;
