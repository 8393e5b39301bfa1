import type { VaultRow } from '../entities/vault.ts';
import type { Clock } from '../lib/clock.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import type { Log } from '../lib/log.ts';
import type { Field } from '../schema/field.ts';
import type { Change, Store } from '../store/store.ts';
import type { Vault, VaultHost } from '../vaults/vault.ts';
import { mayRefer, parseReference, referencesIn, replaceReferences } from './references.ts';
import { keyOf, type RowPointer } from './row-pointer.ts';
import { type FindVault, type SecretOutcome, SecretReader, sourceOf } from './secret-reader.ts';
import { SecretUsers } from './secret-users.ts';

/** A secret that is not known for now: what refers to it cannot work until it is. */
export class UnresolvedReference extends ConfigurationError {}

export interface SecretsOptions {
  readonly store: Store;
  readonly vaults: readonly Vault[];
  readonly host: VaultHost;
  readonly log: Log;
  readonly clock: Clock;
  /** Names of the entities whose rows are compiled: their references are read. */
  readonly entities: readonly string[];
  /** Secrets want to be read again: `readDue`. */
  readonly onDue: () => Promise<void>;
}

/** What came of loading. */
export interface Loaded {
  /** Rows in use whose secrets are others now. */
  readonly affected: readonly RowPointer[];
  /** Forgets what was loaded. */
  undo(): void;
}

/** A value, its references replaced by the secrets they stand for. */
export interface Resolved<T> {
  readonly value: T;
  readonly secrets: readonly string[];
}

/** What a reference stands for, as last read. */
interface Secret {
  readonly outcome: SecretOutcome;
  /** Of now or, when it cannot be read, of before. */
  readonly value: string | null;
  readonly dueAt: number;
  /** Until when the value serves though it cannot be read again. */
  readonly servesUntil: number;
}

const VAULTS = 'vaults';
const SECOND = 1000;
const DEFAULT_RETRY_SECONDS = 10;
/** Kong's default, some three years. */
const DEFAULT_RESURRECT_SECONDS = 100_000_000;
/** Timers do not reach as far as times to live do. */
const LONGEST_SLEEP_SECONDS = 3600;

/** The secrets that rows refer to, in memory: read before rows are compiled, and again when their time is over. */
export class Secrets {
  private readonly store: Store;
  private readonly log: Log;
  private readonly clock: Clock;
  private readonly entities: ReadonlySet<string>;
  private readonly onDue: () => Promise<void>;
  private readonly reader: SecretReader;
  private readonly known = new Map<string, Secret>();
  private readonly users = new SecretUsers();
  /** Of the vaults in use, by id. */
  private readonly prefixes = new Map<string, string>();
  private wakesAt = Number.POSITIVE_INFINITY;
  private stopSleeping: (() => void) | null = null;
  private isRenewing = false;
  private isClosed = false;

  constructor({ store, vaults, host, log, clock, entities, onDue }: SecretsOptions) {
    this.store = store;
    this.log = log;
    this.clock = clock;
    this.entities = new Set(entities.filter(name => mayRefer(store.entities.get(name)?.schema)));
    this.onDue = onDue;
    this.reader = new SecretReader(vaults, host, clock);
    const entity = store.entities.get(VAULTS);
    if (entity) for (const row of store.all(entity)) this.prefixes.set(row.id, (row as VaultRow).prefix);
  }

  /** Secrets that serve though they could not be read again, in words. */
  get problems(): readonly string[] {
    return [...this.known.values()].filter(isOutdated).map(({ outcome }) => `${outdated(outcome)}: ${outcome.reason}`);
  }

  /**
   * Reads what the rows of the changes refer to and is not known, and again what a changed vault says. Waits for vaults, but
   * not for long, and never rejects: what could not be read is tried again later.
   */
  async load(changes: readonly Change[]): Promise<Loaded> {
    const vaults = new Map(changes.filter(({ entity }) => entity.name === VAULTS).map(({ id, row }) => [id, row as VaultRow | null]));
    const wanted = new Set(changes.flatMap(change => [...this.referencesOf(change)].filter(text => !this.isFresh(text))));
    if (vaults.size > 0) {
      const prefixes = new Set([...vaults].flatMap(([id, row]) => [this.prefixes.get(id), row?.prefix]));
      for (const [text, { outcome }] of this.known) if (outcome.vaults.some(vault => prefixes.has(vault))) wanted.add(text);
    }
    if (wanted.size === 0) return { affected: [], undo: () => {} };

    const before = new Map([...wanted].map(text => [text, this.known.get(text)]));
    const affected = this.take(await this.reader.read(wanted, this.find(vaults)));
    const undo = () => {
      for (const [text, secret] of before) {
        if (secret === undefined) this.known.delete(text);
        else this.known.set(text, secret);
      }
    };
    return { affected, undo };
  }

  /** Remembers who refers to what, once the changes hold. What nobody refers to any more is forgotten. */
  keep(changes: readonly Change[]): void {
    for (const change of changes) if (change.entity.name === VAULTS) this.keepPrefix(change);
    const rows = changes.filter(({ entity }) => this.entities.has(entity.name));
    const orphans = this.users.keep(rows.map(row => [{ entity: row.entity, id: row.id }, this.referencesOf(row)]));
    for (const text of orphans) this.known.delete(text);
  }

  /** Throws an UnresolvedReference, or a ConfigurationError for what is no reference at all. Neither tells a secret. */
  resolve<T>(field: Field<T>, value: T): Resolved<T> {
    if (referencesIn(field, value).size === 0) return { value, secrets: [] };
    const secrets: string[] = [];
    const resolved = replaceReferences(field, value, (text, path) => {
      const secret = this.secretOf(text, path.join('.'));
      secrets.push(secret);
      return secret;
    });
    return { value: resolved as T, secrets };
  }

  /** Reads again what is due. What it resolves to takes that over, and says which rows it affects. */
  async readDue(): Promise<() => readonly RowPointer[]> {
    const now = this.clock.now();
    const due = new Set([...this.known.values()].filter(({ dueAt }) => dueAt <= now).map(({ outcome }) => sourceOf(outcome.reference)));
    // All keys of a secret at the same time: a name and its password go together.
    const before = new Map([...this.known].filter(([, { outcome }]) => due.has(sourceOf(outcome.reference))));
    const outcomes = await this.reader.read(before.keys(), this.find(new Map()));
    return () => (this.isClosed ? [] : this.take(new Map([...outcomes].filter(([text]) => this.known.get(text) === before.get(text)))));
  }

  close(): void {
    this.isClosed = true;
    this.stopSleeping?.();
    this.reader.close();
  }

  private secretOf(text: string, field: string): string {
    const secret = this.known.get(text);
    if (secret !== undefined && secret.value !== null) return secret.value;
    // Options may hold secrets.
    const shown = secret?.outcome.reference.shown ?? text.replace(/\?.*/s, '}');
    const cannot = (reason: string) => `the reference ${shown} cannot be resolved: ${reason}`;
    if (secret !== undefined) throw new UnresolvedReference(cannot(secret.outcome.reason), field);
    throw new ConfigurationError(cannot(malformation(text) ?? 'it was not read'), field);
  }

  private referencesOf({ entity, row }: Change): ReadonlySet<string> {
    if (row === null || !this.entities.has(entity.name) || (row as { readonly enabled?: boolean }).enabled === false) return NONE;
    return new Set([...referencesIn(entity.schema, row)].filter(text => malformation(text) === null));
  }

  private isFresh(text: string): boolean {
    return (this.known.get(text)?.outcome.value ?? null) !== null;
  }

  private find(changed: ReadonlyMap<string, VaultRow | null>): FindVault {
    const written = new Map([...changed.values()].flatMap(row => (row === null ? [] : [[row.prefix, row] as const])));
    const entity = this.store.entities.get(VAULTS);
    return prefix => {
      const stored = entity && (this.store.findBy(entity, 'prefix', prefix) as VaultRow | undefined);
      return written.get(prefix) ?? (stored && !changed.has(stored.id) ? stored : undefined);
    };
  }

  /** Returns the rows that refer to what is different now. */
  private take(outcomes: ReadonlyMap<string, SecretOutcome>): readonly RowPointer[] {
    const affected = new Map<string, RowPointer>();
    for (const [text, outcome] of outcomes) {
      const before = this.known.get(text);
      const after = secretAfter(before, outcome, this.clock.now());
      this.known.set(text, after);
      this.tellOfOutage(before, after);
      this.wakeBy(after.dueAt);
      const isSame = before?.value === after.value && (after.value !== null || before?.outcome.reason === outcome.reason);
      if (!isSame) for (const pointer of this.users.of(text)) affected.set(keyOf(pointer), pointer);
    }
    return [...affected.values()];
  }

  private tellOfOutage(before: Secret | undefined, after: Secret): void {
    const { outcome } = after;
    if (isOutdated(after) && before?.outcome.value !== null) this.log.warn(outdated(outcome), { reason: outcome.reason });
    if (outcome.value !== null && before?.outcome.value === null) this.log.notice(`${outcome.reference.shown} can be read again`);
  }

  private keepPrefix({ id, row }: Change): void {
    const before = this.prefixes.get(id);
    const prefix = (row as VaultRow | null)?.prefix;
    if (before !== undefined && before !== prefix) this.reader.forget(before);
    if (prefix === undefined) this.prefixes.delete(id);
    else this.prefixes.set(id, prefix);
  }

  private wakeBy(time: number): void {
    if (this.isClosed || this.isRenewing || time >= this.wakesAt) return;
    this.stopSleeping?.();
    this.wakesAt = time;
    const milliseconds = Math.min(Math.max(time - this.clock.now(), 0), LONGEST_SLEEP_SECONDS * SECOND);
    this.stopSleeping = this.clock.after(milliseconds, () => void this.renew());
  }

  private async renew(): Promise<void> {
    this.isRenewing = true;
    try {
      await this.onDue();
    } finally {
      this.isRenewing = false;
      this.wakesAt = Number.POSITIVE_INFINITY;
      let next = Number.POSITIVE_INFINITY;
      for (const { dueAt } of this.known.values()) next = Math.min(next, dueAt);
      this.wakeBy(next);
    }
  }
}

const NONE: ReadonlySet<string> = new Set();

const isOutdated = ({ outcome, value }: Secret) => outcome.value === null && value !== null;
const outdated = ({ reference }: SecretOutcome) => `${reference.shown} cannot be read again, what it said before serves`;

function secretAfter(before: Secret | undefined, outcome: SecretOutcome, now: number): Secret {
  const { ttl, neg_ttl, resurrect_ttl } = outcome.keeping;
  const { value } = outcome;
  if (value !== null) {
    if (!ttl) return { outcome, value, dueAt: Number.POSITIVE_INFINITY, servesUntil: Number.POSITIVE_INFINITY };
    const dueAt = now + Math.max(ttl, 1) * SECOND;
    return { outcome, value, dueAt, servesUntil: dueAt + (resurrect_ttl ?? DEFAULT_RESURRECT_SECONDS) * SECOND };
  }
  const retryAt = now + Math.max(neg_ttl || DEFAULT_RETRY_SECONDS, 1) * SECOND;
  const serves = before !== undefined && before.value !== null && !outcome.isGone && now < before.servesUntil;
  if (!serves) return { outcome, value: null, dueAt: retryAt, servesUntil: now };
  return { outcome, value: before.value, dueAt: Math.min(retryAt, before.servesUntil), servesUntil: before.servesUntil };
}

/** What is wrong with a reference as such, or null. */
function malformation(text: string): string | null {
  try {
    parseReference(text);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
