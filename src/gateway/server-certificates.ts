import { type Certificate, certificate } from '../entities/certificate.ts';
import { type Sni, sni } from '../entities/sni.ts';
import type { Change } from '../store/store.ts';
import { pairsOf } from './certificate-pairs.ts';
import { type Secrets, UnresolvedReference } from './secrets.ts';
import type { ServerCertificate } from './snapshot.ts';

/** Certificates and names, compiled and ready to be applied. */
export interface PreparedCertificates {
  readonly certificates: ReadonlyMap<string, CompiledCertificate | null>;
  readonly names: ReadonlyMap<string, Sni | null>;
}

interface CompiledCertificate extends ServerCertificate {
  readonly problem: string | null;
}

const ANY_NAME = '*';

/** What TLS listeners show to clients, by the name that they ask for. */
export class ServerCertificates {
  private readonly secrets: Pick<Secrets, 'resolve'>;
  private readonly certificates = new Map<string, CompiledCertificate>();
  /** Ids of certificates. */
  private readonly byName = new Map<string, string>();
  private readonly names = new Map<string, string>();

  constructor(secrets: Pick<Secrets, 'resolve'>) {
    this.secrets = secrets;
  }

  /** By the name itself, a wildcard for its first label, one for its last, then for any name. Source: kong/runloop/certificate.lua of Kong 3.9. */
  find(name: string): ServerCertificate | null {
    if (this.byName.size === 0) return null;
    const id = this.byName.get(name) ?? this.byWildcard(name) ?? this.byName.get(ANY_NAME);
    return (id !== undefined && this.certificates.get(id)) || null;
  }

  get problems(): readonly string[] {
    return [...this.certificates.values()].map(({ problem }) => problem).filter(problem => problem !== null);
  }

  /** Changes nothing. One that cannot work goes to `onProblem`, unless that is for a secret that is not known yet: its clients are turned away. */
  prepare(changes: readonly Change[], onProblem: (error: unknown) => void): PreparedCertificates {
    const rows = (name: string) => changes.filter(({ entity }) => entity.name === name);
    return {
      certificates: new Map(rows(certificate.name).map(({ id, row }) => [id, row && this.compile(row as Certificate, onProblem)])),
      names: new Map(rows(sni.name).map(({ id, row }) => [id, row as Sni | null])),
    };
  }

  /** Returns the problems that were not there before. */
  apply({ certificates, names }: PreparedCertificates): readonly string[] {
    const problems: (string | null)[] = [];
    for (const [id, compiled] of certificates) {
      if (compiled !== null && compiled.problem !== this.certificates.get(id)?.problem) problems.push(compiled.problem);
      if (compiled === null) this.certificates.delete(id);
      else this.certificates.set(id, compiled);
    }
    for (const id of names.keys()) {
      const before = this.names.get(id);
      if (before !== undefined) this.byName.delete(before);
      this.names.delete(id);
    }
    for (const [id, row] of names) {
      if (row === null) continue;
      const name = row.name.toLowerCase();
      this.names.set(id, name);
      this.byName.set(name, row.certificate.id);
    }
    return problems.filter(problem => problem !== null);
  }

  private compile(row: Certificate, onProblem: (error: unknown) => void): CompiledCertificate {
    const before = this.certificates.get(row.id);
    try {
      const pairs = pairsOf(row, this.secrets);
      return { pairs: Bun.deepEquals(before?.pairs, pairs) ? (before?.pairs ?? pairs) : pairs, problem: null };
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof UnresolvedReference) return { pairs: null, problem: `certificate ${row.id}: ${message}` };
      onProblem(error);
      return { pairs: before?.pairs ?? null, problem: message };
    }
  }

  private byWildcard(name: string): string | undefined {
    const first = name.indexOf('.');
    const last = name.lastIndexOf('.');
    // Of two labels, the first stands for more than a host.
    const leading = first < last ? this.byName.get(`*${name.slice(first)}`) : undefined;
    return leading ?? (last > 0 ? this.byName.get(`${name.slice(0, last)}.*`) : undefined);
  }
}
