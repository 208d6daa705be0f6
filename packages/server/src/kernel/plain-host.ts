const PLAIN = /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$|^\[[0-9a-f:.]{2,45}\]$/;

/**
 * Whether a host, as the URL parser understood it, is one that every program understands in the same way, and a policy can
 * name: the parser also lets through `;`, quotes and empty labels, of which others make something else.
 */
export function isPlainHost(hostname: string): boolean {
  return PLAIN.test(hostname);
}
