import type { VaultRow } from '../entities/vault.ts';
import type { Field } from '../schema/field.ts';
import { type FieldErrors, validate } from '../schema/validate.ts';
import { type Keeping, keeping, type OpenVault, type Vault, type VaultHost } from '../vaults/vault.ts';
import { referencesIn, replaceReferences, type VaultReference } from './references.ts';

/** A vault that can be asked, and how long what it says holds. */
export interface Client {
  readonly vault: OpenVault;
  readonly keeping: Keeping;
}

type Config = Readonly<Record<string, unknown>>;

/** Opens the vaults that references name, each once while its configuration stays the same. */
export class VaultClients {
  private readonly kinds: ReadonlyMap<string, Vault>;
  private readonly host: VaultHost;
  private readonly open = new Map<string, { readonly config: Config; readonly vault: OpenVault }>();

  constructor(kinds: readonly Vault[], host: VaultHost) {
    this.kinds = new Map(kinds.map(kind => [kind.name, kind]));
    this.host = host;
  }

  /** What the vault's own configuration refers to. Throws an Error when there is no such vault. */
  needs(reference: VaultReference, row: VaultRow | undefined): ReadonlySet<string> {
    return referencesIn(this.kindOf(reference, row).config, { ...row?.config, ...reference.options });
  }

  /** `secrets` has what `needs` asked for. Throws an Error when there is no such vault, or it is not configured. */
  get(reference: VaultReference, row: VaultRow | undefined, secrets: ReadonlyMap<string, string>): Client {
    const kind = this.kindOf(reference, row);
    const options = Object.entries(reference.options).map(([name, text]) => [name, inferred(kind.config.fields[name], text)] as const);
    const filled = validate(kind.config, { ...row?.config, ...Object.fromEntries(options) });
    if ('errors' in filled) throw new Error(`the vault '${reference.vault}' is not configured: ${inWords(filled.errors)}`);
    const config = replaceReferences(kind.config, filled.value, text => secrets.get(text) ?? '') as Config;
    const connection = Object.fromEntries(Object.entries(config).filter(([name]) => !Object.hasOwn(keeping, name)));

    const key = JSON.stringify([reference.vault, options.filter(([name]) => !Object.hasOwn(keeping, name))]);
    const before = this.open.get(key);
    if (before && Bun.deepEquals(before.config, connection)) return { vault: before.vault, keeping: config };
    const vault = kind.open(config, this.host);
    this.open.set(key, { config: connection, vault });
    return { vault, keeping: config };
  }

  /** For a prefix that means another vault from now on, or none. */
  forget(prefix: string): void {
    for (const key of this.open.keys()) if (key.startsWith(`["${prefix}"`)) this.open.delete(key);
  }

  private kindOf({ vault }: VaultReference, row: VaultRow | undefined): Vault {
    const kind = this.kinds.get(row?.name ?? vault);
    if (kind === undefined) throw new Error(`there is no vault '${vault}'`);
    return kind;
  }
}

/** An option has the type of its field; what cannot have it is left for the field's checks to name. */
function inferred(field: Field | undefined, text: string): unknown {
  if (field?.type === 'boolean' && /^(?:true|false)$/.test(text)) return text === 'true';
  if ((field?.type === 'integer' || field?.type === 'number') && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  return text;
}

const inWords = (errors: FieldErrors) =>
  Object.entries(errors)
    .map(([name, error]) => `${name}: ${typeof error === 'string' ? error : JSON.stringify(error)}`)
    .join(', ');
