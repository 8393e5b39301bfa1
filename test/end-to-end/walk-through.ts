/**
 * Pastes the document's commands into bash, one block after the other, against the compiled gateway, and prints what came
 * back as JSON. `api.openai.com` is a scripted TLS server behind an outbound proxy. Run by walk-through.test.ts, in a
 * network of its own where the document's ports are free; with `free-ports`, the ports in the commands are others.
 */
import { join } from 'node:path';
import { startConnectProxy } from '../support/connect-proxy.ts';
import { newFolder, startGateway } from '../support/executable.ts';
import { CERTIFICATE_FILE, startUpstream } from '../support/upstream.ts';

const DOCUMENT = join(import.meta.dir, '../fixtures/seed/getting-started-with-ai-proxy.md');
export const ANSWER = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'gpt-4-0613',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Two.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 23, completion_tokens: 2, total_tokens: 25 },
};

export interface Report {
  readonly answers: readonly { readonly status: number; readonly body: string }[];
  readonly asked: readonly string[];
  readonly requests: readonly { readonly line: string; readonly authorization: string | undefined; readonly body: unknown }[];
  readonly afterKill: readonly { readonly status: number; readonly body: string }[];
}

async function walkThrough(freePorts: boolean): Promise<Report> {
  const upstream = startUpstream({ tls: true });
  upstream.answer({ body: JSON.stringify(ANSWER), headers: { 'content-type': 'application/json' } });
  using outbound = await startConnectProxy(upstream.port);
  const environment = { SLUICE_HTTPS_PROXY: outbound.url, SLUICE_TRUSTED_CERTIFICATES: `system,${CERTIFICATE_FILE}` };
  const folder = newFolder();
  const start = () => startGateway({ folder, environment, defaultPorts: !freePorts });

  let gateway = await start();
  const paste = (block: string) => {
    const { proxy, admin } = gateway;
    return runBash(freePorts ? block.replace('http://localhost:8001', admin).replace('http://localhost:8000', proxy) : block);
  };
  const blocks = [...(await Bun.file(DOCUMENT).text()).matchAll(/^```bash\n([\s\S]*?)^```$/gm)].map(match => match[1] ?? '');
  const answers = [];
  for (const block of blocks) answers.push(await paste(block));

  await gateway.stop('SIGKILL');
  gateway = await start();
  const afterKill = [await paste(blocks.at(-1) ?? '')];
  await gateway.stop();
  const requests = upstream.requests.map(request => ({
    line: `${request.method} ${request.target}`,
    authorization: request.header('authorization'),
    body: request.json(),
  }));
  upstream.stop();
  return { answers, asked: outbound.asked, requests, afterKill };
}

/** The block as it is; curl also says the status. */
async function runBash(block: string): Promise<{ status: number; body: string }> {
  const script = `curl() { command curl --silent --write-out '\\n%{http_code}' "$@"; }\n${block}`;
  const output = await Bun.spawn(['bash', '-c', script], { stdout: 'pipe', stderr: 'inherit' }).stdout.text();
  const end = output.lastIndexOf('\n');
  return { status: Number(output.slice(end + 1)), body: output.slice(0, end) };
}

if (import.meta.main) {
  console.log(JSON.stringify(await walkThrough(process.argv[2] === 'free-ports')));
  process.exit(0);
}
