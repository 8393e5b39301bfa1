import { BatchQueue, type QueueLimits } from '../../lib/batch-queue.ts';
import type { Log } from '../../lib/log.ts';
import { destinationOf } from '../http-destination.ts';
import { rejectedIn } from './otlp.ts';

export interface ExporterOptions<Entry> {
  readonly name: string;
  readonly endpoint: string;
  /** The field that names the endpoint. */
  readonly field: string;
  readonly headers: Readonly<Record<string, string>> | null;
  /** Milliseconds for one delivery. */
  readonly timeout: number;
  readonly limits: QueueLimits;
  readonly log: Log;
  encode(entries: readonly Entry[]): Uint8Array;
}

/** What a later try may change, by the protocol. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Sends entries to an OTLP server over HTTP, as they can be had. Throws a ConfigurationError. */
export function openExporter<Entry>({ name, endpoint, field, headers, timeout, limits, log, encode }: ExporterOptions<Entry>) {
  const destination = destinationOf(endpoint, field, headers, 'application/x-protobuf');
  const { host } = destination.url;

  async function send(entries: readonly Entry[]): Promise<void> {
    const response = await post(encode(entries)).catch(error => {
      throw new Error(`${host}: ${error.message}`);
    });
    const { status, ok } = response;
    if (RETRYABLE.has(status)) throw new Error(`${host}: status ${status}`);
    if (!ok) log.error(`${name}: ${entries.length} entries are lost`, { reason: `${host}: status ${status}` });
    const rejected = ok ? rejectedIn(response.body) : null;
    if (rejected !== null) log.error(`${name}: ${rejected}`);
  }

  async function post(body: Uint8Array) {
    const signal = AbortSignal.timeout(timeout);
    const { url, headers } = destination;
    const response = await fetch(url, { method: 'POST', headers, body: body as Uint8Array<ArrayBuffer>, signal, redirect: 'manual' });
    return { status: response.status, ok: response.ok, body: await response.bytes() };
  }

  return new BatchQueue<Entry>(name, limits, send, log, entry => encode([entry]).length);
}
