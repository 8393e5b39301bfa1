import { formatHost, type Host, parseHost } from '../lib/host.ts';
import { foreign, integer, record, string } from '../schema/field.ts';
import { preciseTimestamp, tags, uuid } from '../schema/typedefs.ts';
import { defineEntity, type RowOf } from './entity.ts';

const DEFAULT_PORT = 8000;

/** One of the servers that an upstream stands for. */
export const target = defineEntity({
  name: 'targets',
  endpointKey: 'target',
  cacheKey: ['upstream', 'target'],
  schema: record(
    {
      id: uuid,
      created_at: preciseTimestamp,
      updated_at: preciseTimestamp,
      upstream: foreign('upstreams', { required: true, on_delete: 'cascade' }),
      target: string({ required: true, custom_validator: targetError }),
      weight: integer({ default: 100, between: [0, 65535] }),
      tags,
    },
    { required: true, transformations: [{ input: ['target'], on_write: withPort }] },
  ),
});

export type Target = RowOf<typeof target>;

/** Kong reads 010 in an address as ten. */
function parseTarget(text: string): Host | string {
  return parseHost(/^\d{1,3}(\.\d{1,3}){3}(:\d+)?$/.test(text) ? text.replace(/\b0+(?=\d)/g, '') : text);
}

function targetError(text: string): string | undefined {
  const parsed = parseTarget(text);
  return typeof parsed === 'string' ? `Invalid target ('${text}'); not a valid hostname or ip address` : undefined;
}

/** As it is kept: addresses in full, and always with a port. */
function withPort(text: string) {
  const parsed = parseTarget(text);
  return { target: typeof parsed === 'string' ? text : formatHost(parsed, DEFAULT_PORT) };
}
