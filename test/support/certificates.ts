import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A PEM file of `test/fixtures/tls`: `authority` has signed `client` and, through an intermediate one, `server`, which holds
 * that chain; `rsa` and `ed25519` have signed themselves. Each `NAME` has its `NAME.key`.
 */
export const pem = (name: string): string => readFileSync(join(import.meta.dir, `../fixtures/tls/${name}.pem`), 'utf8');
