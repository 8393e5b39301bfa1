import { type Configuration, loadDeclarative } from '../../src/configuration.ts';
import { entitiesOf } from '../../src/gateway/entities.ts';
import { openGateway } from '../../src/gateway/gateway.ts';
import { plugins } from '../../src/plugins/registry.ts';
import { openStore } from '../../src/store/memory.ts';
import { startProxy } from '../proxy/gateway.ts';
import type { ReceivedRequest } from './received-request.ts';
import { recordingLog } from './recording-log.ts';
import { type Reply, startUpstream } from './upstream.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What the body says, when it is JSON. */
  readonly json: unknown;
  /** What came through to the upstream; undefined when nothing did. */
  readonly sent: ReceivedRequest | undefined;
}

/** A gateway in this process, in front of an upstream, that serves what declarative configurations say. `upstream` stands for its URL in them. */
export async function serveConfigurations() {
  const upstream = startUpstream();
  const { log, lines, said } = recordingLog();
  const store = await openStore(entitiesOf(plugins));
  const gateway = await openGateway({ store, plugins, log, prefix: '/nowhere' });
  const proxy = startProxy({ gateway, log });
  return {
    upstream,
    store,
    gateway,
    lines,
    said,
    url: proxy.url,
    /** From here on this is all of the configuration. */
    async load(configuration: object): Promise<void> {
      const text = JSON.stringify({ _format_version: '3.0', ...configuration }).replaceAll('"upstream"', JSON.stringify(upstream.url));
      await loadDeclarative({ store, gateway } as Configuration, { text, name: 'test', environment: null }, 'replace');
    },
    async ask(path: string, { reply, ...init }: RequestInit & { reply?: Reply } = {}): Promise<Answered> {
      upstream.answer(reply ?? { body: 'ok' });
      const before = upstream.requests.length;
      const response = await fetch(proxy.url + path, { redirect: 'manual', ...init });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') === true;
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: isJson ? JSON.parse(text) : undefined,
        sent: upstream.requests[before],
      };
    },
    async close(): Promise<void> {
      proxy[Symbol.dispose]();
      await gateway.close();
      upstream.stop();
    },
  };
}
