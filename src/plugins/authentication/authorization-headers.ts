/** Where clients prove their identity in the ways of HTTP itself, in the order in which Kong looks. */
export const AUTHORIZATION_HEADERS = ['proxy-authorization', 'authorization'] as const;
