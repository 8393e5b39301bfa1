import { boolean, type Infer, number, type RecordField } from '../schema/field.ts';

/** What the gateway lends a vault. */
export interface VaultHost {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A path of the configuration, made absolute from the gateway's `prefix`. */
  path(relative: string): string;
}

/** A vault that is configured. */
export interface OpenVault {
  /**
   * The text kept under a name, in one of its versions: null is the current one. Rejects with an Error that says why there is
   * none: it goes to the log and to `/status`, so it tells no secret.
   */
  read(resource: string, version: number | null, signal: AbortSignal): Promise<string>;
}

/** A kind of place where secrets are kept. */
export interface Vault<Name extends string = string, Config = unknown> {
  readonly name: Name;
  /** The kind's part of the schema: the fields of `config`. */
  readonly config: RecordField<Config>;
  /** Reads nothing yet. */
  open(config: Config, host: VaultHost): OpenVault;
}

/** Types `open` by the kind's own schema. */
export const defineVault = <const Name extends string, Config>(vault: Vault<Name, Config>): Vault<Name, Config> => vault;

const LONGEST_SECONDS = 100_000_000;

/** Fields that the gateway itself heeds, for every kind that has them. Times in seconds; the source is Kong's documentation of secrets rotation. */
export const keeping = {
  base64_decode: boolean({ default: false }),
  /** How long a secret holds before it is read again; 0 is for ever. */
  ttl: number({ between: [0, LONGEST_SECONDS] }),
  /** How long after a failure it is tried again. */
  neg_ttl: number({ between: [0, LONGEST_SECONDS] }),
  /** How long a secret that cannot be read again still serves. */
  resurrect_ttl: number({ between: [0, LONGEST_SECONDS] }),
};

/** What of it a kind has. */
export type Keeping = { readonly [K in keyof typeof keeping]?: Infer<(typeof keeping)[K]> };
