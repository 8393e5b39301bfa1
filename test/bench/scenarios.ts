/** One kind of load: so many connections, each with one request at a time. */
export interface Scenario {
  readonly about: string;
  readonly connections: number;
  /** Requests a second, each due at its moment; 0: as many as go. */
  readonly rate: number;
  readonly stream?: true;
  /** How many times as long as others it is measured. */
  readonly longer?: number;
  body(model: string): string;
}

const WORDS = 'Lorem ipsum dolor sit amet, consectetur adipiscing elit.\n    if (kind === "alpha") { return "beta"; }\n';

/** A chat of so many characters; `wish` tells upstream.c how to answer it. */
export const chat =
  (characters: number, more: object = {}, wish = '') =>
  (model: string): string =>
    JSON.stringify({
      model,
      temperature: 0.7,
      ...more,
      messages: [
        { role: 'system', content: `You are a helpful assistant. ${wish}` },
        { role: 'user', content: WORDS.repeat(Math.ceil(characters / WORDS.length)).slice(0, characters) },
      ],
    });

export const streamed = (events: number, gapMicroseconds: number) =>
  chat(850, { stream: true }, `bench: events=${events} gap=${gapMicroseconds} spread=${Math.min(gapMicroseconds, 1_000_000)}`);

const vision =
  (bytes: number) =>
  (model: string): string => {
    const noise = crypto.getRandomValues(Buffer.alloc(64)).toString('base64');
    const url = `data:image/png;base64,${noise.repeat(bytes / noise.length)}`;
    const content = [
      { type: 'text', text: 'what is this?' },
      { type: 'image_url', image_url: { url } },
    ];
    return JSON.stringify({ model, messages: [{ role: 'user', content }] });
  };

/** In the order in which they are measured: what makes memory grow comes last. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  '1k': { about: 'chat of 1 kB', connections: 64, rate: 0, body: chat(850) },
  latency: { about: 'chat of 1 kB, 500 requests/s, open loop', connections: 32, rate: 500, longer: 2, body: chat(850) },
  stream: { about: 'streams of 30 tokens, 50 a second', connections: 256, rate: 0, stream: true, body: streamed(30, 20_000) },
  burst: { about: 'streams of 200 tokens without a pause', connections: 64, rate: 0, stream: true, body: streamed(200, 0) },
  '32k': { about: 'chat of 32 kB', connections: 64, rate: 0, body: chat(31_000) },
  '1m': { about: 'an image of 1 MB', connections: 16, rate: 0, body: vision(1_000_000) },
};
