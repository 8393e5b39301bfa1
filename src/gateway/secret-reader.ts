import { isUtf8 } from 'node:buffer';
import type { VaultRow } from '../entities/vault.ts';
import type { Clock } from '../lib/clock.ts';
import { isObject, parseJson } from '../lib/json.ts';
import type { Keeping, Vault, VaultHost } from '../vaults/vault.ts';
import { parseReference, type VaultReference } from './references.ts';
import { type Client, VaultClients } from './vault-clients.ts';

/** The row of a prefix. */
export type FindVault = (prefix: string) => VaultRow | undefined;

/** What came of reading one reference. */
export interface SecretOutcome {
  readonly reference: VaultReference;
  /** Null: it could not be read, and `reason` says why, in words that tell no secret. */
  readonly value: string | null;
  readonly reason: string;
  /** There is no such vault: what it said before counts no more. */
  readonly isGone: boolean;
  readonly keeping: Keeping;
  /** The vaults that were on the way, by prefix. */
  readonly vaults: readonly string[];
}

/** How long a vault has to answer: who waits for it is an operator's request, or the start of the gateway. */
const PATIENCE_SECONDS = 5;
/** Of all secrets a vault is asked for at a start. */
const MOST_AT_ONCE = 32;
const NO_SECRETS: ReadonlyMap<string, string> = new Map();

/** Asks vaults. */
export class SecretReader {
  private readonly clients: VaultClients;
  private readonly clock: Clock;
  private readonly running = new Set<AbortController>();

  constructor(kinds: readonly Vault[], host: VaultHost, clock: Clock) {
    this.clients = new VaultClients(kinds, host);
    this.clock = clock;
  }

  /** All at the same time, in bounded time; what several references share is read once. Never rejects. */
  async read(references: Iterable<string>, find: FindVault): Promise<ReadonlyMap<string, SecretOutcome>> {
    const controller = new AbortController();
    this.running.add(controller);
    const stopWaiting = this.clock.after(PATIENCE_SECONDS * 1000, () => controller.abort());
    const session = new Session(this.clients, find, controller.signal);
    const outcomes = await Promise.all([...references].map(async text => [text, await session.outcome(text)] as const));
    stopWaiting();
    this.running.delete(controller);
    return new Map(outcomes);
  }

  /** For a prefix that means another vault from now on, or none. */
  forget(prefix: string): void {
    this.clients.forget(prefix);
  }

  close(): void {
    for (const controller of this.running) controller.abort();
  }
}

/** Reads that belong together. */
class Session {
  private readonly clients: VaultClients;
  private readonly find: FindVault;
  private readonly signal: AbortSignal;
  private readonly timeout: Promise<never>;
  private readonly texts = new Map<string, Promise<string>>();
  private reading = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(clients: VaultClients, find: FindVault, signal: AbortSignal) {
    this.clients = clients;
    this.find = find;
    this.signal = signal;
    this.timeout = new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    this.timeout.catch(() => {});
  }

  async outcome(text: string): Promise<SecretOutcome> {
    const reference = parseReference(text);
    let keeping: Keeping = {};
    let isGone = true;
    const vaults = [reference.vault];
    try {
      const row = this.find(reference.vault);
      const needs = [...this.clients.needs(reference, row)].map(need => [need, parseReference(need)] as const);
      vaults.push(...needs.map(([, { vault }]) => vault));
      isGone = false;
      const secrets = await Promise.all(needs.map(async ([need, nested]) => [need, await this.nestedValue(nested)] as const));
      const client = this.clients.get(reference, row, new Map(secrets));
      keeping = client.keeping;
      return { reference, value: await this.value(reference, client), reason: '', isGone, keeping, vaults };
    } catch (error) {
      const reason = this.signal.aborted ? `no answer within ${PATIENCE_SECONDS} s` : (error as Error).message;
      return { reference, value: null, reason, isGone, keeping, vaults };
    }
  }

  /** What a vault's own configuration refers to, such as its token. */
  private nestedValue(reference: VaultReference): Promise<string> {
    const row = this.find(reference.vault);
    // One step, so that vaults cannot wait for each other.
    if (this.clients.needs(reference, row).size > 0) throw new Error(`the vault '${reference.vault}' refers to a vault itself`);
    return this.value(reference, this.clients.get(reference, row, NO_SECRETS));
  }

  private async value(reference: VaultReference, { vault, keeping }: Client): Promise<string> {
    const { resource, version, key } = reference;
    const source = sourceOf(reference);
    const reading = this.texts.get(source) ?? this.inTurn(() => vault.read(resource, version, this.signal));
    this.texts.set(source, reading);
    const text = await Promise.race([reading, this.timeout]);
    const member = key === null ? text : memberOf(text, key);
    const value = keeping.base64_decode ? decodeBase64(member) : member;
    if (value === '') throw new Error('it is empty');
    return value;
  }

  private async inTurn(read: () => Promise<string>): Promise<string> {
    if (this.reading === MOST_AT_ONCE) await new Promise<void>(resolve => this.waiting.push(resolve));
    else this.reading++;
    try {
      return await read();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.reading--;
    }
  }
}

/** What is read for a reference: the keys of one secret have it in common. */
export const sourceOf = ({ vault, resource, version, options }: VaultReference) => JSON.stringify([vault, resource, version, options]);

function memberOf(text: string, key: string): string {
  const secret = parseJson(text);
  const member = isObject(secret) && Object.hasOwn(secret, key) ? secret[key] : undefined;
  if (typeof member !== 'string') throw new Error(`it holds no JSON object with a text '${key}'`);
  return member;
}

function decodeBase64(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text.trim() || !isUtf8(bytes)) throw new Error('it is no text in base64');
  return bytes.toString();
}
