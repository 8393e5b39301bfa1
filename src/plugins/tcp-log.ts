import { BatchQueue } from '../lib/batch-queue.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import { withoutBrackets } from '../lib/host.ts';
import { openTcpSender } from '../lib/tcp-sender.ts';
import { boolean, integer, number, record, string } from '../schema/field.ts';
import { hostError } from '../schema/typedefs.ts';
import { customFieldsByLua } from './custom-fields.ts';
import { logEntry } from './log-entry.ts';
import { LOG_QUEUE } from './log-queue.ts';
import { definePlugin } from './plugin.ts';

/** Request logs to a TCP server, one line of JSON each. */
export const tcpLog = definePlugin({
  name: 'tcp-log',
  priority: 7,
  config: record(
    {
      host: string({ required: true, custom_validator: hostError }),
      port: integer({ required: true, between: [0, 65535] }),
      timeout: number({ default: 10_000 }),
      keepalive: number({ default: 60_000 }),
      tls: boolean({ required: true, default: false }),
      tls_sni: string(),
      custom_fields_by_lua: customFieldsByLua,
    },
    { required: true },
  ),
  configure({ host, port, timeout, keepalive, tls, tls_sni }, { log }, instance) {
    if ((timeout ?? 0) < 0) throw new ConfigurationError('value must not be negative', 'timeout');
    if ((keepalive ?? 0) < 0) throw new ConfigurationError('value must not be negative', 'keepalive');
    const sender = openTcpSender({
      host: withoutBrackets(host),
      port,
      tls: tls ? { serverName: tls_sni } : null,
      timeout: timeout ?? 10_000,
      keepalive: keepalive ?? 60_000,
    });
    const queue = new BatchQueue(`tcp-log ${instance.id}`, LOG_QUEUE, lines => sender.send(`${lines.join('\n')}\n`), log);
    return {
      log(context) {
        queue.add(logEntry(context));
      },
      async close() {
        await queue.close();
        sender.close();
      },
    };
  },
});
