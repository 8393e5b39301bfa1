/** One kind of load: so many connections, each with one request at a time. */
export interface Scenario {
  readonly about: string;
  readonly connections: number;
  /** Requests a second, each due at its moment; 0: as many as go. */
  readonly rate: number;
  body(): string;
}

const WORDS = 'Lorem ipsum dolor sit amet, consectetur adipiscing elit.\n    if (kind === "alpha") { return "beta"; }\n';

const chat =
  (characters: number, more: object = {}) =>
  () =>
    JSON.stringify({
      model: 'gpt-4',
      temperature: 0.7,
      ...more,
      messages: [
        { role: 'system', content: 'You are a helpful assistant.' },
        { role: 'user', content: WORDS.repeat(Math.ceil(characters / WORDS.length)).slice(0, characters) },
      ],
    });

const vision = (bytes: number) => () =>
  JSON.stringify({
    model: 'gpt-4',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what is this?' },
          {
            type: 'image_url',
            image_url: {
              url: `data:image/png;base64,${crypto
                .getRandomValues(Buffer.alloc(64))
                .toString('base64')
                .repeat(bytes / 88)}`,
            },
          },
        ],
      },
    ],
  });

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  '1k': { about: 'chat of 1 kB', connections: 64, rate: 0, body: chat(850) },
  '32k': { about: 'chat of 32 kB', connections: 64, rate: 0, body: chat(31_000) },
  '1m': { about: 'an image of 1 MB', connections: 16, rate: 0, body: vision(1_000_000) },
  stream: { about: '30 events, 10 ms apart', connections: 64, rate: 0, body: chat(850, { stream: true }) },
  latency: { about: 'chat of 1 kB, 500 requests/s', connections: 16, rate: 500, body: chat(850) },
};
