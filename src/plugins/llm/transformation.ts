import type { ChatRequest } from '../../chat/chat.ts';
import { ConfigurationError } from '../../lib/configuration-error.ts';
import { isObject, type Json } from '../../lib/json.ts';
import { compilePcre } from '../../lib/regex.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import type { EntityCheck } from '../../schema/entity-check.ts';
import { boolean, type Infer, integer, json, record, string } from '../../schema/field.ts';
import { hostError, port } from '../../schema/typedefs.ts';
import { type Context, noteKey } from '../context.ts';
import type { Host, Phases, PluginInstance } from '../plugin.ts';
import { compileCall, type Told } from './call.ts';
import { type Auth, auth, isWatched, llmChecks, logging, type ModelConfig, model } from './config.ts';
import { compileCost } from './cost.ts';
import { exchangeEntry, noteExchange } from './exchange-entry.ts';
import { maxRequestBodySize } from './prompt.ts';
import { ROUTE_TYPES } from './request.ts';

// What the plugins share that have a model rewrite a text. Source: their schemas of Kong 3.9 and 3.15.

const proxyHost = string({ custom_validator: hostError });

const llm = record(
  {
    route_type: string({ required: true, one_of: ROUTE_TYPES }),
    auth,
    model,
    logging,
    weight: integer({
      default: 100,
      between: [1, 65_535],
      custom_validator: (weight: number) => (weight === 100 ? undefined : 'there is one model, so a weight has no effect'),
    }),
    metadata: json({ custom_validator: () => 'nothing reads it: leave it out' }),
  },
  {
    required: true,
    entity_checks: [...llmChecks, { custom_entity_check: { field_sources: ['auth', 'model'], fn: idleError } }],
  },
);

export const transformationFields = {
  prompt: string({ required: true }),
  transformation_extract_pattern: string({ custom_validator: patternError }),
  http_timeout: integer({ required: true, default: 60_000, gt: 0 }),
  https_verify: boolean({ required: true, default: true }),
  max_request_body_size: maxRequestBodySize,
  http_proxy_host: proxyHost,
  http_proxy_port: port,
  https_proxy_host: proxyHost,
  https_proxy_port: port,
  llm,
};

export const transformationChecks: readonly EntityCheck[] = [
  {
    conditional: {
      if_field: 'llm.route_type',
      if_match: { not_one_of: ['llm/v1/chat'] },
      then_field: 'llm.route_type',
      then_match: { eq: 'llm/v1/chat' },
      then_err: "'config.llm.route_type' must be 'llm/v1/chat' for AI transformer plugins",
    },
  },
  { mutually_required: ['http_proxy_host', 'http_proxy_port'] },
  { mutually_required: ['https_proxy_host', 'https_proxy_port'] },
];

type Settings = { readonly [F in keyof typeof transformationFields]: Infer<(typeof transformationFields)[F]> };

export interface Transformation {
  /** What the model makes of a text by the operator's prompt. Throws a RequestFailure in Kong's words. */
  transform(context: Context, text: string): Promise<string>;
  /** Writes Kong's log entry of the call, when the operator wants one. */
  readonly phases: Pick<Phases, 'log'>;
}

export function compileTransformation(settings: Settings, host: Host, { id, name }: PluginInstance): Transformation {
  const { llm, prompt, transformation_extract_pattern: pattern } = settings;
  const ask = withinField('llm', () => compileCall(settings, host.log));
  const cost = withinField('llm', () => compileCost(llm.model.options));
  const facts = { provider: llm.model.provider, pluginId: id, cost, logging: llm.logging };
  // Kong's flags: https://github.com/openresty/lua-nginx-module#ngxrematch
  const wanted = pattern === null ? null : compilePcre(`(?m)${pattern}`, { caseInsensitive: true });
  const toldKey = noteKey<{ readonly told: Told; readonly chat: ChatRequest }>(name);

  return {
    async transform(context, text) {
      const chat: ChatRequest = {
        messages: [
          { role: 'system', content: prompt },
          { role: 'user', content: text },
        ],
        stream: false,
      };
      const told = await ask(context, chat);
      context.notes.set(toldKey, { told, chat });
      return extracted(contentOf(told.answer));
    },

    phases: isWatched(llm.logging)
      ? {
          async log(context) {
            const noted = context.notes.get(toldKey);
            if (noted === undefined) return;
            const { call, observation } = noted.told;
            const asked = { body: { json: () => Promise.resolve(noted.chat as unknown as Json) } };
            noteExchange(context.log, name, await exchangeEntry(asked, call, observation, facts));
          },
        }
      : {},
  };

  function extracted(content: string): string {
    if (wanted === null) return content;
    const [match] = wanted.exec(content) ?? [];
    if (match === undefined) throw new RequestFailure(400, 'AI response did not match specified regular expression');
    return match;
  }
}

/** A decoder puts U+FFFD in the place of bytes that are no UTF-8. */
export const isText = (text: string): boolean => !/[\0\uFFFD]/.test(text);

/** Kong's answer in place of a transformed one. */
export function transformationRefusal({ status, message }: RequestFailure): Response {
  const body = JSON.stringify({ error: { message } });
  return new Response(body, {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'content-length': `${Buffer.byteLength(body)}` },
  });
}

/** What the first choice of an answer says. */
function contentOf({ choices }: { readonly choices?: Json }): string {
  const [choice] = Array.isArray(choices) ? choices : [];
  const { message } = isObject(choice) ? choice : {};
  const { content } = isObject(message) ? message : {};
  if (typeof content !== 'string') throw new RequestFailure(400, "no 'choices' in upstream AI service response");
  return content;
}

function patternError(pattern: string): string | undefined {
  try {
    compilePcre(pattern);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What only a request of the client's own could give a meaning. */
function idleError({ auth, model }: { readonly auth: Auth; readonly model: ModelConfig }): string | undefined {
  if (auth?.allow_override === true) return 'auth.allow_override has no effect: the credentials of clients are not sent to this model';
  if (model.name === null) return 'model.name is needed: no client names this model';
  if (model.model_alias !== null) return 'model.model_alias has no effect: no client names this model';
  return undefined;
}

/** The fields of what is configured here are named from the plugin's configuration. */
function withinField<Made>(field: string, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(error.message, error.field === undefined ? field : `${field}.${error.field}`);
  }
}
