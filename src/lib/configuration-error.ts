/** Configuration that is well formed but cannot work: the operator's to mend, so its message names the field. */
export class ConfigurationError extends Error {
  /** Path of the field within the plugin's `config`, such as `model.options.upstream_url`. */
  readonly field: string | undefined;
  /** The id of the row that holds it, where that is known. */
  readonly row: string | undefined;

  constructor(message: string, field?: string, row?: string) {
    super(message);
    this.field = field;
    this.row = row;
  }
}
