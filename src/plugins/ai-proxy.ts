import { RequestFailure } from '../lib/request-failure.ts';
import { boolean, integer, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import type { NoteKey } from './context.ts';
import { auth, isWatched, llmChecks, logging, model } from './llm/config.ts';
import { compileCost } from './llm/cost.ts';
import { compileExchange, type Exchange } from './llm/exchange.ts';
import { exchangeEntry, noteExchange } from './llm/exchange-entry.ts';
import { gatewayFailure, refusal } from './llm/failure.ts';
import { newObservation } from './llm/observation.ts';
import { type ObservedExchange, observedExchangeKey } from './llm/observed-exchange.ts';
import { ROUTE_TYPES } from './llm/request.ts';
import { compileTarget } from './llm/target.ts';
import { definePlugin } from './plugin.ts';

/** Kong's default fits all route types. */
function categoryError(given: { readonly genai_category: string | null; readonly route_type: string }): string | undefined {
  const { genai_category: category, route_type: type } = given;
  if (category !== 'text/embeddings' || type === 'llm/v1/embeddings' || type === 'preserve') return undefined;
  return `genai_category ${category} does not fit route_type ${type}`;
}

const config = record(
  {
    genai_category: string({ default: 'text/generation', one_of: ['text/generation', 'text/embeddings'] }),
    route_type: string({ required: true, one_of: ROUTE_TYPES }),
    auth,
    model,
    logging,
    response_streaming: string({ default: 'allow', one_of: ['allow', 'deny', 'always'] }),
    max_request_body_size: integer({ default: 1024 * 1024, gt: -1 }),
    model_name_header: boolean({ default: true }),
    llm_format: string({ default: 'openai', one_of: ['openai'] }),
  },
  {
    required: true,
    entity_checks: [...llmChecks, { custom_entity_check: { field_sources: ['genai_category', 'route_type'], fn: categoryError } }],
  },
);

/** What one request left for the way back. */
interface Exchanged extends ObservedExchange {
  readonly exchange: Exchange;
}
const exchangedKey = observedExchangeKey as NoteKey<Exchanged>;

/** Sends a route's requests to a model, whatever its vendor speaks, and its answers back in OpenAI's dialect. */
export const aiProxy = definePlugin({
  name: 'ai-proxy',
  priority: 770,
  fields: { protocols: protocolsHttp },
  config,

  configure(config, _host, instance) {
    const { logging, model, model_name_header } = config;
    const exchangeOf = compileTarget(model.options, options => compileExchange(config, options));
    const modelHeader = compileModelHeader(model.provider);
    const facts = { provider: model.provider, pluginId: instance.id, cost: compileCost(model.options), logging };

    return {
      async access(context) {
        try {
          const exchange = exchangeOf(context);
          const call = await exchange.toVendor(context);
          context.notes.set(exchangedKey, {
            exchange,
            provider: model.provider,
            routeType: config.route_type,
            call,
            observation: newObservation(),
          });
        } catch (error) {
          return refused(error);
        }
      },

      response(context, response) {
        const exchanged = context.notes.get(exchangedKey);
        if (exchanged === undefined || context.outcome.source === 'exit') return;
        if (context.outcome.source === 'error') return gatewayFailure(response);

        const { exchange, call, observation } = exchanged;
        response.headers.delete('set-cookie');
        if (response.ok && model_name_header && call.model !== '') response.headers.set('X-Kong-LLM-Model', modelHeader(call.model));
        const failed = (error: unknown) => {
          // That the answer broke off is no news when the client did.
          if (context.request.signal.aborted) throw error;
          return refused(error);
        };
        try {
          const answer = exchange.toClient(context, response, call, observation);
          return answer instanceof Promise ? answer.catch(failed) : answer;
        } catch (error) {
          return failed(error);
        }
      },

      ...(isWatched(logging) && {
        log({ notes, body, log }) {
          const exchanged = notes.get(exchangedKey);
          if (exchanged === undefined) return;
          const proxy = exchangeEntry({ body }, exchanged.call, exchanged.observation, facts);
          if (proxy instanceof Promise) return proxy.then(estimated => noteExchange(log, 'proxy', estimated));
          noteExchange(log, 'proxy', proxy);
        },
      }),
    };
  },
});

function refused(error: unknown): Response {
  if (error instanceof RequestFailure) return refusal(error);
  throw error;
}

/** Clients may name models in any script, headers may not. Most requests ask for the model of the one before. */
function compileModelHeader(provider: string): (model: string) => string {
  let last = { model: '', header: `${provider}/` };
  return model => {
    if (model !== last.model) last = { model, header: `${provider}/${model.toWellFormed().replace(/[^\x20-\x7e]+/g, encodeURIComponent)}` };
    return last.header;
  };
}
