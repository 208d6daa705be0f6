import { type ConnectionSettings, withClient } from "../packages/server/src/platform/database/pool.ts";

export interface SeedSize {
  users: number;
  /** The default tenant is the first. */
  tenants: number;
}

export interface SeedParts extends SeedSize {
  defaultTenantId: string;
  /** Every user's password, as a PHC string. */
  passwordHash: string;
  /** Every application's secret, as a keyed hash. */
  secretHash: Buffer;
}

type Noun = "tenant" | "user" | "application" | "role";
const DIGIT: Record<Noun, string> = { tenant: "1", user: "2", application: "3", role: "4" };
const PREFIX = "0190000000";

/** The id of the n-th seeded thing; `idSql` makes the same in the database. */
export function seededId(noun: Noun, n: number): string {
  return `${PREFIX}0${DIGIT[noun]}${n.toString(16).padStart(12, "0")}`;
}

function idSql(noun: Noun, n: string): string {
  return `('${PREFIX}0${DIGIT[noun]}' || lpad(to_hex(${n}), 12, '0'))`;
}

/** Its applications sign with RS256; it has no users. */
export const RSA_TENANT = { number: 0xfffff, slug: "rsa" };

/** Long enough that no token expires in a run. Seconds. */
const ACCESS_TOKEN_SECONDS = 43_200;
const BATCH = 50_000;
const NOW = "timestamptz '2026-01-01'";

/**
 * Fills an empty, migrated database: tenants with settings, roles and an application each, and users with profile,
 * password and role, spread evenly over the tenants. User n is of tenant `n % tenants`.
 */
export async function seed(
  connection: ConnectionSettings["connection"],
  parts: SeedParts,
  say: (message: string) => void,
): Promise<void> {
  await withClient(connection, async ({ execute, query }) => {
    // Foreign keys are right by construction; checking three million of them one by one takes minutes.
    await execute("set session_replication_role = replica; set synchronous_commit = off");
    await execute("set maintenance_work_mem = '512MB'");
    const tenantId = `(case when n = 0 then '${parts.defaultTenantId}' else ${idSql("tenant", "n")} end)`;
    await execute(tenantsSql(parts.tenants, tenantId));
    await query(applicationsSql(parts.tenants, tenantId), [parts.secretHash]);
    await execute(
      `insert into namespaces (tenant_id, id, code, name, application_id, created_at, updated_at)
         select tenant_id, id, id, name, id, ${NOW}, ${NOW} from applications on conflict do nothing`,
    );
    // A trigram index is built from all rows ten times faster than row by row.
    const [index] = await query<{ sql: string }>("select pg_get_indexdef('users_search'::regclass) as sql");
    await execute("drop index users_search");
    for (let from = 0; from < parts.users; from += BATCH) {
      const to = Math.min(from + BATCH, parts.users) - 1;
      const series = `(select i, i % ${parts.tenants} as n from generate_series(${from}, ${to}) i) s`;
      await execute(usersSql(series, tenantId, parts.passwordHash));
      if (parts.users > BATCH && (from / BATCH) % 5 === 4) say(`seeded ${to + 1} users`);
    }
    if (index) await execute(index.sql);
    await execute("set session_replication_role = origin");
    await execute("vacuum (analyze)");
    await execute("checkpoint");
  });
}

function tenantsSql(tenants: number, tenantId: string): string {
  const rsa = idSql("tenant", String(RSA_TENANT.number));
  return `
    insert into tenants (id, slug, name, settings, created_at, updated_at)
      select ${tenantId}, 'tenant-' || n, 'Tenant ' || n,
             '{"lockout": {"attempts": 20}, "branding": {"accent": "#0f766e"}}'::jsonb, ${NOW}, ${NOW}
        from generate_series(1, ${tenants - 1}) n
      union all
      select ${rsa}, '${RSA_TENANT.slug}', 'RSA', '{"tokens": {"signingAlgorithm": "RS256"}}'::jsonb, ${NOW}, ${NOW};
    insert into namespaces (tenant_id, id, code, name, created_at, updated_at)
      select id, id, 'default', 'Default', ${NOW}, ${NOW} from tenants on conflict do nothing;
    insert into roles (tenant_id, id, code, name, permissions, created_at, updated_at)
      select ${tenantId}, ${idSql("role", "n")}, 'member', 'Member', '{user:read,role:read}', ${NOW}, ${NOW}
        from generate_series(0, ${tenants - 1}) n;`;
}

function applicationsSql(tenants: number, tenantId: string): string {
  const application = idSql("application", "n");
  const settings = `'{"accessTokenSeconds": ${ACCESS_TOKEN_SECONDS}, "headlessSignIn": true}'::jsonb`;
  return `
    with wanted as (
      select n, ${tenantId} as tenant_id from generate_series(0, ${tenants - 1}) n
      union all select ${RSA_TENANT.number}, ${idSql("tenant", String(RSA_TENANT.number))}
    ), made as (
      insert into applications (tenant_id, id, slug, name, redirect_uris, grant_types, token_endpoint_auth_method,
                                scopes, sign_in_methods, consent, settings, created_at, updated_at)
        select tenant_id, ${application}, 'shop', 'Shop', '{https://shop.example/callback}',
               '{authorization_code,refresh_token,client_credentials}', 'client_secret_basic',
               '{openid,profile,email,roles}', '{password,passkey}', 'implicit', ${settings}, ${NOW}, ${NOW}
          from wanted
    )
    insert into application_secrets (tenant_id, application_id, id, hash, hint, created_at)
      select tenant_id, ${application}, ${application}, $1, '', ${NOW} from wanted`;
}

function usersSql(series: string, tenantId: string, passwordHash: string): string {
  const user = idSql("user", "i");
  return `
    insert into users (tenant_id, id, username, email, email_verified, phone, nickname, name, profile,
                       created_at, updated_at)
      select ${tenantId}, ${user}, 'user' || i, 'user' || i || '@example.com', true, '+86' || (13000000000 + i),
             'Nick ' || i, 'User Number ' || i,
             jsonb_build_object('givenName', 'User', 'familyName', 'Number ' || i, 'locale', 'zh-CN',
                                'zoneinfo', 'Asia/Shanghai', 'company', 'Example', 'department', 'R&D'),
             ${NOW}, ${NOW}
        from ${series};
    insert into passwords (tenant_id, user_id, hash, changed_at)
      select ${tenantId}, ${user}, '${passwordHash}', ${NOW} from ${series};
    insert into access_grants (tenant_id, id, role_id, user_id, created_at, updated_at)
      select ${tenantId}, ${user}, ${idSql("role", "n")}, ${user}, ${NOW}, ${NOW} from ${series};`;
}
