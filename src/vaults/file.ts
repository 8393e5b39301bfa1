import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import { node } from '../lib/node.ts';
import { record, string } from '../schema/field.ts';
import { defineVault, keeping } from './vault.ts';

const config = record({ directory: string(), ...keeping }, { required: true });

const MOST_BYTES = 1024 * 1024;

/**
 * A folder with one file a secret, as systemd (`LoadCredential=`), Docker and Kubernetes hand them to a service. Without
 * `directory` it is the one where systemd puts the credentials of the gateway's own unit.
 */
export const file = defineVault({
  name: 'file',
  config,
  open({ directory }, { environment, path }) {
    const { CREDENTIALS_DIRECTORY } = environment;
    const folder = directory === null ? CREDENTIALS_DIRECTORY : path(directory);
    return {
      async read(resource, version, signal) {
        if (version !== null) throw new Error('a file has no versions');
        if (folder === undefined || folder === '')
          throw new Error('there is no directory: neither config.directory nor $CREDENTIALS_DIRECTORY');
        if (!isFileName(resource)) throw new Error('the name of a secret is that of a file in the directory, and no path');
        return readSecret(join(folder, resource), signal);
      },
    };
  },
});

const isFileName = (name: string) => name !== '.' && name !== '..' && !/[/\\\0]/.test(name);

/** The text of a file without the newline at its end. */
async function readSecret(path: string, signal: AbortSignal): Promise<string> {
  const facts = await node.files.stat(path).catch(unreadable(path));
  // To open a pipe could wait for ever.
  if (!facts.isFile()) throw new Error(`${path} is no file`);
  if (facts.size > MOST_BYTES) throw new Error(`${path} has more than ${MOST_BYTES} bytes`);
  const bytes = await node.files.readFile(path, { signal }).catch(unreadable(path));
  if (!isUtf8(bytes)) throw new Error(`${path} is not text in UTF-8`);
  return bytes.toString().replace(/\r?\n$/, '');
}

const unreadable = (path: string) => (error: NodeJS.ErrnoException) => {
  throw new Error(`${path} cannot be read: ${error.code ?? error.message}`);
};
