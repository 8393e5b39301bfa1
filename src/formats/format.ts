/** How a client's dialect says what the inner language says: pure functions, a stream's state in its closure. */
export interface Format<Answer, Event> {
  answer(answer: Answer, facts: AnswerFacts): object;
  stream(facts: AnswerFacts): StreamFormat<Event>;
}

/** What holds for an answer unless the vendor says otherwise. */
export interface AnswerFacts {
  readonly id: string;
  readonly model: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The client asked for a last chunk of the stream with the usage. */
  readonly includeUsage: boolean;
  /** The client asked for embeddings as base64. */
  readonly base64?: boolean;
}

/** Text to send, empty for none. */
export interface StreamFormat<Event> {
  event(event: Event): string;
  /** After the last event of an answer that came whole. */
  end(): string;
}
