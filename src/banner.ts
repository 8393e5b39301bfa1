import { version } from './lib/version.ts';

/** What a start comes to. */
export interface Started {
  readonly proxy: readonly string[];
  readonly admin: readonly string[];
  readonly status: readonly string[];
  /** Where the configuration is. */
  readonly data: string;
  /** There is nothing to serve yet. */
  readonly empty: boolean;
  readonly tokenNeeded: boolean;
}

/** What somebody at a terminal needs to know next. */
export function banner({ proxy, admin, status, data, empty, tokenNeeded }: Started): string {
  const [adminUrl] = admin;
  const lines = [
    '',
    `sluice ${version} is ready`,
    '',
    `  Proxy      ${list(proxy)}`,
    `  Admin API  ${list(admin)}${tokenNeeded ? '  (with its token)' : ''}`,
    `  Status     ${list(status)}`,
    `  Data       ${data}`,
  ];
  if (adminUrl)
    lines.push('', `${empty ? 'Next, make a service' : 'See what is configured'}:`, '', ...nextCommand(adminUrl, empty, tokenNeeded));
  return `${lines.join('\n')}\n\n`;
}

const list = (urls: readonly string[]) => (urls.length === 0 ? 'off' : urls.join(', '));

function nextCommand(adminUrl: string, empty: boolean, tokenNeeded: boolean): string[] {
  const token = tokenNeeded ? ` -H 'Kong-Admin-Token: …'` : '';
  if (!empty) return [`  curl${token} ${adminUrl}/routes`];
  return [`  curl${token} -X POST ${adminUrl}/services \\`, `      --data "name=ai-proxy" \\`, `      --data "url=http://localhost:32000"`];
}
