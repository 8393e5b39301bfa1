/** A token of HTTP. */
export const isHeaderName = (name: string): boolean => /^[\w!#$%&'*+.^`|~-]+$/.test(name);

/** Nothing in it ends a line or is invisible. */
export const isHeaderValue = (value: string): boolean => !/[^\P{Cc}\t]/u.test(value);

const isAscii = (text: string) => Buffer.byteLength(text) === text.length;

/** Text as headers carry it here, where each character is a byte: UTF-8. */
export const toHeader = (text: string): string => (isAscii(text) ? text : Buffer.from(text).toString('latin1'));

/** Text that may be anything, such as a consumer's name, as a header can hold it: the ends of lines and what is invisible are escaped. */
export const headerText = (text: string): string => (/^[ -~]*$/.test(text) ? text : escaped(text));

const escaped = (text: string): string => toHeader(isHeaderValue(text) ? text : text.replaceAll(/[^\P{Cc}\t]/gu, encodeURIComponent));

/** What the bytes of a header say, when they are UTF-8. */
export const fromHeader = (value: string): string => (isAscii(value) ? value : Buffer.from(value, 'latin1').toString());
