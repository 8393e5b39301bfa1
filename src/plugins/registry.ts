import { aiPromptDecorator } from './ai-prompt-decorator.ts';
import { aiPromptGuard } from './ai-prompt-guard.ts';
import { aiPromptTemplate } from './ai-prompt-template.ts';
import { aiProxy } from './ai-proxy.ts';
import { aiRequestTransformer } from './ai-request-transformer.ts';
import { aiResponseTransformer } from './ai-response-transformer.ts';
import { fileLog } from './file-log.ts';
import { httpLog } from './http-log.ts';
import type { Plugin } from './plugin.ts';

/** Every plugin there is: one line adds one. */
export const plugins = [
  aiPromptDecorator,
  aiPromptGuard,
  aiPromptTemplate,
  aiProxy,
  aiRequestTransformer,
  aiResponseTransformer,
  fileLog,
  httpLog,
] as const satisfies readonly Plugin[];
