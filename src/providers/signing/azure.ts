import type { TokenCredential } from '@azure/identity';
import { RequestFailure } from '../../lib/request-failure.ts';
import type { Credentials } from '../provider.ts';

/** Who the gateway is to Microsoft Entra, in Kong's words. */
export interface AzureIdentity {
  readonly azure_use_managed_identity?: boolean | null;
  readonly azure_client_id?: string | null;
  readonly azure_client_secret?: string | null;
  readonly azure_tenant_id?: string | null;
}

/** https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/managed-identity */
const SCOPE = 'https://cognitiveservices.azure.com/.default';

const RENEWED_BEFORE = 5 * 60_000;
const LONGEST_WAIT = 10_000;

type Fetch = (url: string, init: RequestInit) => Promise<Response>;
type HttpClient = import('@azure/core-rest-pipeline').HttpClient;

/**
 * Tokens of Microsoft Entra's: of an application by its secret, or of the identity that Azure gives to the machine, the app or the
 * pod that the gateway runs in. Null when neither is configured.
 */
export function azureCredentials(identity: AzureIdentity, fetcher: Fetch = fetch, now = Date.now): Credentials | null {
  if (!identity.azure_use_managed_identity && !identity.azure_client_secret) return null;
  let credential: Promise<TokenCredential> | null = null;
  let token: { readonly value: string; readonly expiresAt: number } | null = null;
  let fetching: Promise<void> | null = null;

  return {
    async sign({ headers }) {
      if (token === null || token.expiresAt - RENEWED_BEFORE <= now()) await renewed();
      Object.assign(headers, { authorization: `Bearer ${token?.value}` });
      // A client's key of its own would speak for somebody else.
      delete headers['api-key'];
    },
    secrets: () => (token === null ? [] : [token.value]),
  };

  async function renewed(): Promise<void> {
    fetching ??= fetchToken().finally(() => {
      fetching = null;
    });
    try {
      await fetching;
    } catch (error) {
      // Entra may be back before the old token's end.
      if (token === null || token.expiresAt <= now()) throw error;
    }
  }

  async function fetchToken(): Promise<void> {
    credential ??= openCredential(identity, fetcher);
    try {
      const given = await (await credential).getToken(SCOPE);
      if (given === null) throw new Error('no token in the answer');
      token = { value: given.token, expiresAt: given.expiresOnTimestamp };
    } catch (error) {
      throw new RequestFailure(502, `there is no access token of Azure's to be had: ${reasonOf(error)}`);
    }
  }
}

/** https://learn.microsoft.com/en-us/javascript/api/overview/azure/identity-readme */
async function openCredential(identity: AzureIdentity, fetcher: Fetch): Promise<TokenCredential> {
  const { ClientSecretCredential, ManagedIdentityCredential, WorkloadIdentityCredential } = await import('@azure/identity');
  const { azure_client_id, azure_client_secret, azure_tenant_id } = identity;
  const options = { httpClient: await clientOn(fetcher), retryOptions: { maxRetries: 1 } };
  const clientId = azure_client_id ? { clientId: azure_client_id } : {};
  const tenantId = azure_tenant_id ? { tenantId: azure_tenant_id } : {};

  if (azure_client_id && azure_client_secret && azure_tenant_id) {
    return new ClientSecretCredential(azure_tenant_id, azure_client_id, azure_client_secret, options);
  }
  const { AZURE_FEDERATED_TOKEN_FILE: federated } = process.env;
  if (federated) return new WorkloadIdentityCredential({ ...options, ...clientId, ...tenantId });
  return new ManagedIdentityCredential({ ...options, ...clientId });
}

/** Bun's own fetch honours the gateway's proxies and CAs; the library would not. */
async function clientOn(fetcher: Fetch): Promise<HttpClient> {
  const { createHttpHeaders } = await import('@azure/core-rest-pipeline');
  return {
    async sendRequest(request) {
      const response = await fetcher(request.url, {
        method: request.method,
        headers: request.headers.toJSON(),
        ...(typeof request.body === 'string' && { body: request.body }),
        redirect: 'manual',
        signal: AbortSignal.timeout(LONGEST_WAIT),
      });
      const headers = createHttpHeaders(Object.fromEntries(response.headers));
      return { request, status: response.status, headers, bodyAsText: await response.text() };
    },
  };
}

/** What of an error may be shown: Entra's own code. The library's messages may hold what was sent. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error ? error.message : '';
  return /AADSTS\d+/.exec(said)?.[0] ?? 'the token endpoint gave none';
}
