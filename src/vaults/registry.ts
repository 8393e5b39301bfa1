import { env } from './env.ts';
import { file } from './file.ts';
import { hcv } from './hcv.ts';
import type { Vault } from './vault.ts';

/** Every kind of vault there is: one line adds one. */
export const vaults = [env, file, hcv] as const satisfies readonly Vault[];
