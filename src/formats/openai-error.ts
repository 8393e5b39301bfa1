/** https://platform.openai.com/docs/guides/error-codes */
export interface OpenaiError {
  readonly message: string;
  readonly type?: string | undefined;
  readonly code?: string | undefined;
}

/** The body of an error as OpenAI's clients read it. */
export const openaiError = ({ message, type, code }: OpenaiError) => ({
  error: { message, type: type ?? 'api_error', param: null, code: code ?? null },
});

/** OpenAI's `type` for a status. */
export function errorType(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error';
    case 403:
      return 'permission_error';
    case 404:
      return 'not_found_error';
    case 429:
      return 'rate_limit_error';
    default:
      return status < 500 ? 'invalid_request_error' : 'api_error';
  }
}
