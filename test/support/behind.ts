import type { Plugin } from '../../src/plugins/plugin.ts';
import { type Setting, startGateway } from '../proxy/gateway.ts';
import { configured, openHost } from './host.ts';
import type { ReceivedRequest } from './received-request.ts';
import { type Reply, startUpstream } from './upstream.ts';

export interface Asked extends RequestInit {
  readonly path?: string;
  /** What the upstream says; `ok` when not given. */
  readonly reply?: Reply;
  readonly setting?: Partial<Setting>;
}

export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What came through to the upstream; undefined when nothing did. */
  readonly sent: ReceivedRequest | undefined;
  /** What the log plugins would print beyond the usual. */
  readonly logged: object;
}

/** An upstream, and ways to it through the real proxy with one plugin on the way. */
export function openRig() {
  const upstream = startUpstream();
  return {
    upstream,
    close: () => upstream.stop(),
    /** One request through a plugin configured as an operator writes it. */
    async ask<Config>(plugin: Plugin<string, Config>, config: object, { path = '/', reply, setting, ...init }: Asked = {}): Promise<Got> {
      upstream.answer(reply ?? { headers: { 'content-type': 'text/plain' }, body: 'ok' });
      const before = upstream.requests.length;
      const logged = Promise.withResolvers<object>();
      const watch = { log: ({ log }: { log: object }) => logged.resolve(log) };
      const phases = configured(plugin, config, openHost().host);
      using gateway = startGateway({ url: upstream.url, plugins: [phases, watch], ...setting });
      const response = await fetch(gateway.url + path, { redirect: 'manual', decompress: false, ...init });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, logged: await logged.promise, sent: upstream.requests[before] };
    },
  };
}
