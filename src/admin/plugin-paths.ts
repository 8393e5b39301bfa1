import type { ContentfulStatusCode, StatusCode } from 'hono/utils/http-status';
import type { Json } from '../lib/json.ts';
import type { AdminHandler, Ask, Plugin, Question } from '../plugins/plugin.ts';
import type { AdminContext, Endpoint } from './admin-context.ts';

/** The paths that plugins have of their own. */
export function pluginEndpoints(plugins: readonly Plugin[], askAll: (question: Question) => Promise<readonly Json[]>): Endpoint[] {
  return plugins.flatMap(({ name, adminPaths = [] }) => {
    const ask: Ask = (content, row) => askAll({ plugin: name, row: row ?? null, content });
    return adminPaths.map(({ path, methods }) => ({
      path,
      methods: Object.fromEntries(Object.entries(methods).map(([method, handler]) => [method, endpoint(handler, ask)])),
    }));
  });
}

const endpoint = (handler: AdminHandler, ask: Ask) => async (context: AdminContext) => {
  const { status, body } = await handler(context.req.param(), ask);
  return body === undefined ? context.body(null, status as StatusCode) : context.json(body, status as ContentfulStatusCode);
};
