/** OpenAI's words: https://platform.openai.com/docs/api-reference/chat/object#chat/object-service_tier */
const TIERS = new Set(['auto', 'default', 'flex', 'scale', 'priority', 'fast']);

/** What an answer says of itself beyond its content. Clients check `service_tier` against OpenAI's words: others stay here. */
export function aboutAnswer({ service_tier = '', system_fingerprint }: { service_tier?: string; system_fingerprint?: string }) {
  return {
    ...(TIERS.has(service_tier) && { service_tier }),
    ...(system_fingerprint !== undefined && { system_fingerprint }),
  };
}
