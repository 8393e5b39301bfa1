import type { Target } from '../entities/target.ts';
import type { Clock } from '../lib/clock.ts';
import { parseHost } from '../lib/host.ts';
import { ipVersion } from '../lib/ip.ts';
import type { Address } from './peer.ts';
import type { Resolver } from './resolver.ts';

/** A name that could not be found is asked for again after this. */
const AGAIN_MS = 30_000;
/** However short a name is valid. */
const SOONEST_MS = 500;

export interface TargetAddressesOptions {
  readonly resolver: Resolver;
  readonly clock: Clock;
  /** Other addresses than before. */
  readonly onChange: () => void;
  readonly onFailure: (name: string, error: Error) => void;
  /** Asked before the name is looked up again. */
  readonly isWanted?: () => boolean;
}

/** What a target stands for: itself, when it is an address, else what its name is found to be, again and again. */
export class TargetAddresses {
  readonly host: string;
  readonly port: number;
  row: Target;
  addresses: readonly Address[] = [];
  /** Kong's word for how the addresses are known: a kind of record, or what went wrong. */
  dns = 'unknown';
  readonly #options: TargetAddressesOptions;
  #started = false;
  /** Until the name was asked for once, whatever came of it. */
  #first: Promise<void> | null = null;
  #stop: (() => void) | null = null;
  #closed = false;

  constructor(row: Target, options: TargetAddressesOptions) {
    const parsed = parseHost(row.target);
    if (typeof parsed === 'string') throw new Error(parsed);
    this.row = row;
    this.host = parsed.host;
    this.port = parsed.port ?? 0;
    this.#options = options;
    if (ipVersion(this.host) === 0) return;
    this.dns = ipVersion(this.host) === 6 ? 'AAAA' : 'A';
    this.addresses = [{ ip: this.host, port: this.port, weight: null, srvName: null }];
  }

  get weight(): number {
    return this.row.weight ?? 0;
  }

  /** Begins to ask for the name. Resolves once there was an answer, or none; null: there was, or it is no name. */
  start(): Promise<void> | null {
    if (this.#started || ipVersion(this.host) !== 0) return this.#first;
    this.#started = true;
    this.#first = this.#resolve().finally(() => {
      this.#first = null;
    });
    return this.#first;
  }

  close(): void {
    this.#closed = true;
    this.#stop?.();
  }

  async #resolve(): Promise<void> {
    const { resolver, clock, onChange, onFailure, isWanted } = this.#options;
    let again = AGAIN_MS;
    let addresses: readonly Address[] = [];
    try {
      const resolved = await resolver.resolve(this.host, this.port);
      addresses = [...resolved.addresses].sort(byAddress);
      again = Math.max(resolved.ttl, SOONEST_MS);
      this.dns = resolved.record;
    } catch (error) {
      // A name server that is gone for a while is no reason to let go of the addresses it told.
      addresses = this.addresses;
      if (addresses.length === 0) this.dns = (error as Error).message;
      if (!this.#closed) onFailure(this.host, error as Error);
    }
    if (this.#closed) return;
    this.#stop = clock.after(again, () => void (isWanted?.() !== false && this.#resolve()));
    if (Bun.deepEquals(addresses, this.addresses)) return;
    this.addresses = addresses;
    onChange();
  }
}

// Name servers tell them in another order each time.
const byAddress = (a: Address, b: Address) => (textOf(a) < textOf(b) ? -1 : 1);
const textOf = ({ ip, port }: Address) => `${ip}:${port}`;
