export const openssl = Bun.which('openssl');
if (!openssl) console.log('skipped: needs openssl');

/** Runs OpenSSL, and answers with what it prints. */
export function runOpenssl(args: readonly string[], input = ''): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([openssl ?? 'openssl', ...args], { stdin: Buffer.from(input), stderr: 'pipe' });
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString();
}

/** The two halves of a pair as an operator makes them: `openssl genpkey …`, `openssl pkey -pubout`. */
export function opensslPair(...args: readonly string[]) {
  const privatePem = runOpenssl(['genpkey', ...args]);
  return { privatePem, publicPem: runOpenssl(['pkey', '-pubout'], privatePem) };
}
