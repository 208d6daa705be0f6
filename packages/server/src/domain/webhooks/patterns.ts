/** Whether one of the patterns (a name, `user.*`, `*`) is about the event. */
export function matchesEvent(patterns: readonly string[], event: string): boolean {
  const noun = `${event.slice(0, event.indexOf("."))}.*`;
  return patterns.some((pattern) => pattern === "*" || pattern === event || pattern === noun);
}
