import type { PluginRow } from '../../src/entities/plugin-entity.ts';
import type { Route } from '../../src/entities/route.ts';
import type { Service } from '../../src/entities/service.ts';
import type { Routable } from '../../src/gateway/snapshot.ts';

/** Rows as they are after validation, defaults filled in. */
export const routeRow = (row: Partial<Route> & { readonly id: string }): Route => ({
  created_at: 1,
  updated_at: 1,
  name: null,
  protocols: ['http', 'https'],
  https_redirect_status_code: 426,
  strip_path: true,
  preserve_host: false,
  request_buffering: true,
  response_buffering: true,
  tags: null,
  service: null,
  snis: null,
  sources: null,
  destinations: null,
  methods: null,
  hosts: null,
  paths: null,
  headers: null,
  regex_priority: 0,
  path_handling: 'v0',
  ...row,
});

export const serviceRow = (row: Partial<Service> & { readonly id: string }): Service => ({
  created_at: 1,
  updated_at: 1,
  name: null,
  retries: 5,
  protocol: 'http',
  host: 'upstream.test',
  port: 80,
  path: null,
  connect_timeout: 60000,
  write_timeout: 60000,
  read_timeout: 60000,
  tags: null,
  client_certificate: null,
  tls_verify: null,
  tls_verify_depth: null,
  ca_certificates: null,
  enabled: true,
  ...row,
});

export const pluginRow = (row: Partial<PluginRow> & { readonly id: string; readonly name: string }): PluginRow => ({
  instance_name: null,
  created_at: 1,
  updated_at: 1,
  route: null,
  service: null,
  consumer: null,
  consumer_group: null,
  config: {},
  protocols: ['grpc', 'grpcs', 'http', 'https'],
  enabled: true,
  tags: null,
  ...row,
});

export const requestTo = (
  path: string,
  { headers, ...request }: Partial<Omit<Routable, 'path' | 'headers'>> & { headers?: Record<string, string> } = {},
): Routable => ({ scheme: 'http', method: 'GET', host: 'localhost', sni: null, ...request, path, headers: new Headers(headers) });
