/** `{vault://…}` stands for a value that only the vault knows. */
export const isReference = (value: unknown): boolean => typeof value === 'string' && /^\{vault:\/\/.+\}$/s.test(value);
