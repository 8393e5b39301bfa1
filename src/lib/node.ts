/**
 * Modules of Node that take long to load, each at its first use: together they are a fourth of a gateway's start, which needs
 * none of them. To be asked for when something happens, and not when a file is loaded.
 */
export const node = {
  get crypto() {
    return process.getBuiltinModule('node:crypto');
  },
  get dgram() {
    return process.getBuiltinModule('node:dgram');
  },
  get dns() {
    return process.getBuiltinModule('node:dns').promises;
  },
  get files() {
    return process.getBuiltinModule('node:fs/promises');
  },
  get net() {
    return process.getBuiltinModule('node:net');
  },
  get stream() {
    return process.getBuiltinModule('node:stream');
  },
  get tls() {
    return process.getBuiltinModule('node:tls');
  },
  get util() {
    return process.getBuiltinModule('node:util');
  },
  get zlib() {
    return process.getBuiltinModule('node:zlib');
  },
};
