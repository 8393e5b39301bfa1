import { ConfigurationError } from '../lib/configuration-error.ts';
import { acl } from './acl/acl.ts';
import { aiPromptDecorator } from './ai-prompt-decorator.ts';
import { aiPromptGuard } from './ai-prompt-guard.ts';
import { aiPromptTemplate } from './ai-prompt-template.ts';
import { aiProxy } from './ai-proxy.ts';
import { aiRequestTransformer } from './ai-request-transformer.ts';
import { aiResponseTransformer } from './ai-response-transformer.ts';
import { basicAuth } from './basic-auth/basic-auth.ts';
import { botDetection } from './bot-detection.ts';
import { correlationId } from './correlation-id.ts';
import { cors } from './cors.ts';
import { fileLog } from './file-log.ts';
import { hmacAuth } from './hmac-auth/hmac-auth.ts';
import { httpLog } from './http-log.ts';
import { ipRestriction } from './ip-restriction.ts';
import { jwt } from './jwt/jwt.ts';
import { keyAuth } from './key-auth/key-auth.ts';
import { opentelemetry } from './opentelemetry.ts';
import type { Plugin } from './plugin.ts';
import { prometheus } from './prometheus.ts';
import { proxyCache } from './proxy-cache.ts';
import { rateLimiting } from './rate-limiting.ts';
import { redirect } from './redirect.ts';
import { requestSizeLimiting } from './request-size-limiting.ts';
import { requestTermination } from './request-termination.ts';
import { requestTransformer } from './request-transformer.ts';
import { responseRatelimiting } from './response-ratelimiting.ts';
import { responseTransformer } from './response-transformer.ts';
import { syslog } from './syslog.ts';
import { tcpLog } from './tcp-log.ts';
import { udpLog } from './udp-log.ts';

/** Every plugin there is: one line adds one. */
export const plugins = [
  acl,
  aiPromptDecorator,
  aiPromptGuard,
  aiPromptTemplate,
  aiProxy,
  aiRequestTransformer,
  aiResponseTransformer,
  basicAuth,
  botDetection,
  correlationId,
  cors,
  fileLog,
  hmacAuth,
  httpLog,
  ipRestriction,
  jwt,
  keyAuth,
  opentelemetry,
  prometheus,
  proxyCache,
  rateLimiting,
  redirect,
  requestSizeLimiting,
  requestTermination,
  requestTransformer,
  responseRatelimiting,
  responseTransformer,
  syslog,
  tcpLog,
  udpLog,
] as const satisfies readonly Plugin[];

/** Those that the setting `plugins` names. Throws a ConfigurationError for what it cannot say. */
export function enabledPlugins(names: readonly string[]): readonly Plugin[] {
  if (names.includes('off')) {
    if (names.length > 1) throw new ConfigurationError('plugins: off stands alone');
    return [];
  }
  const unknown = names.find(name => name !== 'bundled' && !plugins.some(plugin => plugin.name === name));
  if (unknown)
    throw new ConfigurationError(`plugins: there is no plugin ${unknown}, only ${plugins.map(plugin => plugin.name).join(', ')}`);
  return names.includes('bundled') ? plugins : plugins.filter(plugin => names.includes(plugin.name));
}
