import { aiProxy } from './ai-proxy.ts';
import { fileLog } from './file-log.ts';
import { httpLog } from './http-log.ts';
import type { Plugin } from './plugin.ts';

/** Every plugin there is: one line adds one. */
export const plugins = [aiProxy, fileLog, httpLog] as const satisfies readonly Plugin[];
