import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { openAppender } from '../lib/appender.ts';
import { BatchQueue } from '../lib/batch-queue.ts';
import { boolean, record, string } from '../schema/field.ts';
import { customFieldsByLua } from './custom-fields.ts';
import { logEntry } from './log-entry.ts';
import { LOG_QUEUE } from './log-queue.ts';
import { definePlugin } from './plugin.ts';

/** One line of JSON a request, in a file. */
export const fileLog = definePlugin({
  name: 'file-log',
  priority: 9,
  config: record(
    {
      path: string({ required: true, match: '^[^%s*&%%\\`][^*&%%\\`]*[^%s*&%%\\`]$', err: 'not a valid filename' }),
      reopen: boolean({ required: true, default: false }),
      custom_fields_by_lua: customFieldsByLua,
    },
    { required: true },
  ),
  configure(config, host, instance) {
    const name = `file-log ${instance.id}`;
    const path = host.path(config.path);
    const file = openAppender(path, config.reopen);
    const queue = new BatchQueue(name, LOG_QUEUE, lines => file.append(`${lines.join('\n')}\n`), host.log);
    // Said at once, but not refused: a folder that is missing now must neither stop a start nor fail a request.
    const reason = unwritable(path);
    if (reason) host.log.error(`${name}: cannot write ${path}`, { reason });
    return {
      log(context) {
        queue.add(logEntry(context));
      },
      async close() {
        await queue.close();
        await file.close();
      },
    };
  },
});

function unwritable(path: string): string | undefined {
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
