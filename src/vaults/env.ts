import { record, string } from '../schema/field.ts';
import { defineVault } from './vault.ts';

const config = record({ prefix: string({ match: '^[%a_-][%a%d_-]*$' }) }, { required: true });

/** The gateway's own environment: `my-key` is MY_KEY, its version 2 MY_KEY_PREVIOUS. Source: kong/vaults/env of Kong 3.9. */
export const env = defineVault({
  name: 'env',
  config,
  open({ prefix }, { environment }) {
    return {
      async read(resource, version) {
        if (version !== null && version !== 1 && version !== 2) throw new Error('an environment variable has versions 1 and 2');
        const current = `${prefix ?? ''}${resource}`.replaceAll('-', '_').toUpperCase();
        const variable = version === 2 ? `${current}_PREVIOUS` : current;
        const value = environment[variable];
        if (value === undefined || value === '') throw new Error(`the environment variable ${variable} is not set`);
        return value;
      },
    };
  },
});
