import type { ReceivedRequest } from '../received-request.ts';

/** What a model says: text, or calls of tools. */
export interface Said {
  readonly text?: string;
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input: object }[];
}

/** A vendor as its API reference has it: how it is configured, and how its API says something, whole and as a stream. */
export interface Vendor {
  /** Unique among vendors. */
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  readonly auth: object;
  readonly options: (url: string) => object;
  /** A header by which the vendor knows who pays, and what it must hold. */
  readonly paidBy: readonly [header: string, value: string | RegExp];
  streams(request: ReceivedRequest): boolean;
  readonly streamType: string;
  whole(said: Said): object;
  stream(said: Said): readonly (string | Uint8Array)[];
  /** Whether it answers by a JSON schema; true unless said otherwise. */
  readonly takesSchemas?: boolean;
  /** What a call of a tool holds that must come back with the tool's result. */
  kept(id: string): readonly string[];
}

export const asksToStream = (request: ReceivedRequest) => (request.json() as { stream?: boolean }).stream === true;
export const halves = (text: string) => [text.slice(0, text.length / 2), text.slice(text.length / 2)];
export const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
export const named = (data: { readonly type: string; readonly [member: string]: unknown }) => `event: ${data.type}\n${event(data)}`;
export const EVENTS = 'text/event-stream';
