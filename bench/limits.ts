/** Which limit a program of `programs/limits.ts` shall be. */
export interface LimitOrder {
  limit: "argon2id" | "ES256" | "RS256" | "rotation";
  rotation?: {
    database: { host: string; port: number; user: string; database: string };
    tenantId: string;
    applicationId: string;
    families: { id: string; generation: number }[];
  };
}

export interface LimitResult {
  operations: number;
  seconds: number;
}
