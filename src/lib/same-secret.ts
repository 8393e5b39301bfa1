/** Whether two secrets, or digests of them, are the same; how long it takes says nothing of where they differ. */
export function isSameSecret(a: string | Uint8Array, b: string | Uint8Array): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)];
  return first.length === second.length && crypto.timingSafeEqual(first, second);
}
