import type { MiddlewareHandler } from 'hono';
import type { Environment } from './admin-context.ts';

const sha256 = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest();

type Guard = MiddlewareHandler<Environment>;

/**
 * Lets in who has the token. Without a token the API listens on loopback only, and the danger is a web page in the operator's
 * browser: it can send a plain form to `http://localhost:8001/routes`, or, by rebinding the DNS name it was loaded from, read
 * answers as well. So requests that name this host otherwise than by an address or `localhost`, and those that a page from
 * elsewhere sent (browsers add `Origin` to every write), are refused, unless they are those of the web UI at `guiOrigins`. With a
 * token neither works: the page does not have it.
 */
export function guard(token: string | null, guiOrigins: readonly string[]): Guard {
  return token === null ? refusePages(guiOrigins) : requireToken(token);
}

function requireToken(token: string): Guard {
  const wanted = sha256(token);
  return async (context, next) => {
    // A browser asks with OPTIONS before it may send the token.
    if (context.req.method === 'OPTIONS') return next();
    const bearer = /^Bearer +(.*)$/i.exec(context.req.header('authorization') ?? '')?.[1];
    const given = context.req.header('kong-admin-token') ?? bearer;
    if (given !== undefined && crypto.timingSafeEqual(sha256(given), wanted)) {
      context.set('authenticated', true);
      return next();
    }
    return context.json({ message: 'Unauthorized' }, 401, { 'WWW-Authenticate': 'Bearer' });
  };
}

function refusePages(guiOrigins: readonly string[]): Guard {
  const guiHosts = guiOrigins.map(origin => new URL(origin).hostname);
  return async (context, next) => {
    const host = context.req.header('host');
    const name = host === undefined ? undefined : hostname(host);
    if (name !== undefined && !isAddress(name) && !isLocal(name) && !guiHosts.includes(name)) {
      return context.json({ message: `this Admin API has no token and is not to be called as '${host}'` }, 403);
    }
    const origin = context.req.header('origin');
    if (origin !== undefined && !isLocalOrigin(origin) && !guiOrigins.includes(origin)) {
      return context.json({ message: `this Admin API has no token and takes nothing from pages of '${origin}'` }, 403);
    }
    return next();
  };
}

const hostname = (host: string) => host.replace(/:\d*$/, '').toLowerCase();
const isAddress = (name: string) => /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || /^\[[\da-f:.]+\]$/.test(name);
const isLocal = (name: string) => name === 'localhost' || name.endsWith('.localhost');
const isLoopback = (name: string) => isLocal(name) || /^127(\.\d{1,3}){3}$/.test(name) || name === '[::1]';

/** A page that this machine served. */
export function isLocalOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && isLoopback(url.hostname);
}
