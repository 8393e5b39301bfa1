/** Configuration that is well formed but cannot work: the operator's to mend, so its message names the field. */
export class ConfigurationError extends Error {
  /** Path of the field within the plugin's `config`, such as `model.options.upstream_url`. */
  readonly field: string | undefined;

  constructor(message: string, field?: string) {
    super(message);
    this.field = field;
  }
}
