import type { Consumer } from '../entities/consumer.ts';
import type { Route } from '../entities/route.ts';
import type { Service } from '../entities/service.ts';
import { isObject, type Json, type JsonObject } from '../lib/json.ts';
import { ByLabels, type Family, type Histogram, type Metrics } from '../lib/metrics.ts';
import { boolean, record } from '../schema/field.ts';
import type { Context } from './context.ts';
import { WORKSPACE } from './log-entry.ts';
import { definePlugin } from './plugin.ts';
import { latencies, loggedStatus, requestSize, responseSize } from './request-measures.ts';

const KONG_BUCKETS = [1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000];
const UPSTREAM_BUCKETS = [25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const MODEL_BUCKETS = [250, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500, 5000, 10_000, 30_000, 60_000];

const WORKSPACE_NAME = WORKSPACE.workspace_name;

const NO_WASM = 'this gateway runs no WebAssembly';

/** Counts requests and exchanges with models, under Kong's names. */
export const prometheus = definePlugin({
  name: 'prometheus',
  priority: 13,
  metrics: { showsHealth: ({ upstream_health_metrics }) => upstream_health_metrics === true },
  config: record(
    {
      per_consumer: boolean({ default: false }),
      status_code_metrics: boolean({ default: false }),
      ai_metrics: boolean({ default: false }),
      latency_metrics: boolean({ default: false }),
      bandwidth_metrics: boolean({ default: false }),
      upstream_health_metrics: boolean({ default: false }),
      wasm_metrics: boolean({ default: false, custom_validator: wasm => (wasm ? NO_WASM : undefined) }),
    },
    { required: true },
  ),
  configure(config, { metrics }) {
    const { per_consumer, status_code_metrics, ai_metrics, latency_metrics, bandwidth_metrics } = config;
    const measures: readonly Measure[] = [
      ...(status_code_metrics ? [countStatuses(metrics)] : []),
      ...(latency_metrics ? [observeLatencies(metrics)] : []),
      ...(bandwidth_metrics ? [countBytes(metrics)] : []),
      ...(ai_metrics ? [countExchanges(metrics)] : []),
    ];
    const measuresOf = new ByLabels(([service = '', route = '']) => measures.map(measure => measure({ service, route })));
    return {
      log(context) {
        const { route, service, consumer } = context;
        // What no route was found for has no names to be counted by.
        if (route === null) return;
        const name = per_consumer ? nameOf(consumer) : '';
        for (const take of measuresOf.of(nameOfService(service), nameOfRoute(route))) take(context, name);
      },
    };
  },
});

interface Names {
  readonly service: string;
  readonly route: string;
}
/** Takes what it counts from requests of these names. A series is there from the first request on that it counts. */
type Measure = (names: Names) => (context: Context, consumer: string) => void;

/** Made when it is asked for first. */
function once<Made>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const nameOfRoute = ({ name, id }: Route) => name ?? id;
const nameOfService = (service: Service | null) => service?.name ?? service?.host ?? '';
const nameOf = (consumer: Consumer | null) => consumer?.username ?? consumer?.custom_id ?? '';

function countStatuses(metrics: Metrics): Measure {
  const requests = metrics.counter({
    name: 'kong_http_requests_total',
    help: 'HTTP status codes per consumer/service/route in Kong',
    labels: ['service', 'route', 'code', 'source', 'workspace', 'consumer'],
  });
  return ({ service, route }) =>
    ({ outcome }, consumer) => {
      const source = outcome.source === 'upstream' ? 'service' : 'kong';
      requests.of(service, route, String(loggedStatus(outcome)), source, WORKSPACE_NAME, consumer).add(1);
    };
}

function observeLatencies(metrics: Metrics): Measure {
  const histogram = (name: string, help: string, buckets: readonly number[]) =>
    metrics.histogram({ name, help: `${help} for each service/route in Kong`, labels: ['service', 'route', 'workspace'], buckets });
  const byKong = histogram('kong_kong_latency_ms', 'Latency added by Kong and enabled plugins', KONG_BUCKETS);
  const byUpstream = histogram('kong_upstream_latency_ms', 'Latency added by upstream response', UPSTREAM_BUCKETS);
  const total = histogram('kong_request_latency_ms', 'Total latency incurred during requests', UPSTREAM_BUCKETS);
  return ({ service, route }) => {
    const meter = (family: Family<Histogram>) => once(() => family.of(service, route, WORKSPACE_NAME));
    const [ofAll, ofUpstream, ofKong] = [meter(total), meter(byUpstream), meter(byKong)];
    return ({ outcome }) => {
      const { kong, proxy, request } = latencies(outcome);
      ofAll().observe(request);
      if (proxy >= 0) ofUpstream().observe(proxy);
      ofKong().observe(kong);
    };
  };
}

function countBytes(metrics: Metrics): Measure {
  const bandwidth = metrics.counter({
    name: 'kong_bandwidth_bytes',
    help: 'Total bandwidth (ingress/egress) throughput in bytes',
    labels: ['service', 'route', 'direction', 'workspace', 'consumer'],
  });
  return ({ service, route }) =>
    (context, consumer) => {
      bandwidth.of(service, route, 'ingress', WORKSPACE_NAME, consumer).add(requestSize(context));
      const egress = responseSize(context);
      if (egress > 0) bandwidth.of(service, route, 'egress', WORKSPACE_NAME, consumer).add(egress);
    };
}

const TOKEN_TYPES = ['prompt_tokens', 'completion_tokens', 'total_tokens'];

/** Reads what the AI plugins left for the log: nothing, when they log no statistics. */
function countExchanges(metrics: Metrics): Measure {
  const exchange = ['ai_provider', 'ai_model', 'cache_status', 'vector_db', 'embeddings_provider', 'embeddings_model'];
  const labels = [...exchange, 'workspace'];
  const counter = (name: string, help: string) => metrics.counter({ name, help, labels });
  const requests = counter('kong_ai_llm_requests_total', 'AI requests total per ai_provider in Kong');
  const costs = counter('kong_ai_llm_cost_total', 'AI requests cost per ai_provider/cache in Kong');
  const tokens = metrics.counter({
    name: 'kong_ai_llm_tokens_total',
    help: 'AI tokens total per ai_provider/cache in Kong',
    labels: [...exchange, 'token_type', 'workspace'],
  });
  const latency = metrics.histogram({
    name: 'kong_ai_llm_provider_latency_ms',
    help: 'LLM response Latency for each AI plugins per ai_provider in Kong',
    labels,
    buckets: MODEL_BUCKETS,
  });
  const models = modelsOf(metrics);
  const metersOf = new ByLabels(labels => ({
    requests: requests.of(...labels, WORKSPACE_NAME),
    cost: once(() => costs.of(...labels, WORKSPACE_NAME)),
    latency: once(() => latency.of(...labels, WORKSPACE_NAME)),
    tokens: TOKEN_TYPES.map(type => ({ type, count: once(() => tokens.of(...labels, type, WORKSPACE_NAME)) })),
  }));

  function countExchange({ meta, usage, cache }: JsonObject & { meta?: Json; usage?: Json; cache?: Json }, answered: boolean): void {
    if (!isObject(meta)) return;
    const model = models.name(textOf(meta, 'request_model'), answered);
    const meters = metersOf.of(
      textOf(meta, 'provider_name'),
      model,
      textOf(cache, 'cache_status'),
      textOf(cache, 'vector_db'),
      textOf(cache, 'embeddings_provider'),
      textOf(cache, 'embeddings_model'),
    );
    meters.requests.add(1);
    const cost = numberOf(usage, 'cost');
    if (cost > 0) meters.cost().add(cost);
    const took = numberOf(meta, 'llm_latency');
    if (took > 0) meters.latency().observe(took);
    for (const { type, count } of meters.tokens) {
      const number = numberOf(usage, type);
      if (number > 0) count().add(number);
    }
  }

  return () =>
    ({ log: { ai }, outcome }) => {
      if (!isObject(ai)) return;
      for (const entry of Object.values(ai)) if (isObject(entry)) countExchange(entry, outcome.status < 400);
    };
}

const MOST_MODELS = 1000;
const LONGEST_NAME = 200;

/** Clients may name models: one is told apart from others once a vendor has answered for it, and no more than so many are. */
class KnownModels {
  readonly #names = new Set<string>();

  name(model: string, answered: boolean): string {
    if (this.#names.has(model)) return model;
    if (!answered || this.#names.size >= MOST_MODELS || model.length > LONGEST_NAME) return 'other';
    this.#names.add(model);
    return model;
  }
}

/** For all configurations of a process: what they count lasts as long. */
const known = new WeakMap<Metrics, KnownModels>();

function modelsOf(metrics: Metrics): KnownModels {
  const models = known.get(metrics) ?? new KnownModels();
  known.set(metrics, models);
  return models;
}

const member = (object: JsonObject[string] | undefined, name: string) => (isObject(object) ? object[name] : undefined);

function textOf(object: JsonObject[string] | undefined, name: string): string {
  const value = member(object, name);
  return typeof value === 'string' ? value : '';
}

function numberOf(object: JsonObject[string] | undefined, name: string): number {
  const value = member(object, name);
  return typeof value === 'number' ? value : 0;
}
