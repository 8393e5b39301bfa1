import { readFileSync, statSync } from 'node:fs';
import { ipVersion } from './ip.ts';

/** A hosts file, as it is at the moment: read again when it was changed. One that cannot be read names nothing. */
export class HostsFile {
  readonly #path: string;
  #changedAt = 0;
  #addresses: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(path: string) {
    this.#path = path;
  }

  /** In the order of the file. */
  addressesOf(name: string): readonly string[] {
    const { mtimeMs } = statSync(this.#path, { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
    if (mtimeMs !== this.#changedAt) {
      this.#changedAt = mtimeMs;
      this.#addresses = parse(mtimeMs === 0 ? '' : readFileSync(this.#path, 'utf8'));
    }
    return this.#addresses.get(name.toLowerCase()) ?? [];
  }
}

function parse(text: string): ReadonlyMap<string, readonly string[]> {
  const addresses = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/s, '').trim().split(/\s+/);
    if (ipVersion(address) === 0) continue;
    for (const name of names) {
      const known = addresses.get(name.toLowerCase()) ?? [];
      if (!known.includes(address)) known.push(address);
      addresses.set(name.toLowerCase(), known);
    }
  }
  return addresses;
}
