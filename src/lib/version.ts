// Stamped in by `make build`; absent when the source runs as it is.
declare const SLUICE_VERSION: string | undefined;
declare const SLUICE_COMMIT: string | undefined;

export const version = typeof SLUICE_VERSION === 'string' ? SLUICE_VERSION : 'development';
export const commit = typeof SLUICE_COMMIT === 'string' ? SLUICE_COMMIT : 'unknown';

/** The level of Kong's Admin API that sluice speaks. */
export const kongApiLevel = '3.9.1';
