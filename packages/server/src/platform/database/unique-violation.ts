/** The name of the unique constraint or index that refused a write, or undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("constraint" in error)) return undefined;
  // 23505 unique_violation; 23503 foreign_key_violation (PostgreSQL manual, appendix A)
  if (error.code !== "23505" && error.code !== "23503") return undefined;
  return typeof error.constraint === "string" ? error.constraint : undefined;
}
