-- Usage: which calls the services behind us answered, and what they cost.

-- What a call costs. The most specific active rule of the application counts, else of all applications.
create table billing_rules (
  tenant_id text not null references tenants on delete cascade,
  id text not null,
  -- null: all applications
  application_id text,
  name text not null,
  -- null: all methods
  method text,
  path text not null,
  -- static: the price; dynamic: what the answer's X-Match-Cost says, else the price
  kind text not null check (kind in ('static', 'dynamic')),
  price numeric(38, 18) not null default 0 check (price >= 0),
  status text not null default 'active' check (status in ('active', 'disabled')),
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, application_id) references applications on delete cascade
);
create unique index billing_rules_path
  on billing_rules (tenant_id, coalesce(application_id, ''), coalesce(method, ''), path);

-- Reports under an idempotency key: a repetition counts nothing.
create table usage_batches (
  tenant_id text not null,
  reporter text not null,
  key text not null,
  hash text not null,
  received_at timestamptz not null,
  primary key (tenant_id, reporter, key)
);
create index usage_batches_age on usage_batches (received_at);

-- The calls themselves, for a month: a partition a day (in UTC), dropped as a whole. No foreign keys: they would be
-- checked for each of many thousand rows a second.
create sequence usage_positions cache 50;
create table usage_calls (
  position bigint not null default nextval('usage_positions'),
  tenant_id text not null,
  application_id text not null,
  user_id text,
  username text,
  method text not null,
  -- as reported, without query; `route` has placeholders where ids were
  path text not null,
  route text not null,
  status smallint not null,
  -- microseconds
  duration bigint not null,
  error text,
  -- headers, query and body without credentials; json, as nothing looks into it
  parameters json,
  response_headers json,
  rule_id text,
  cost numeric not null default 0,
  trace_id text not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null
) partition by range (received_at);
create index usage_calls_tenant on usage_calls (tenant_id, position);

create function ensure_usage_partition(day date) returns void language plpgsql as $$
declare
  partition text := 'usage_calls_' || to_char(day, 'YYYYMMDD');
begin
  perform pg_advisory_xact_lock(hashtext('usage_partitions'));
  -- Not to_regclass: it may remember from before the lock.
  perform from pg_class where relname = partition and relnamespace = current_schema()::regnamespace;
  if found then return; end if;
  -- Attached, not created in place: that would lock out everybody who writes.
  execute format('create table %I (like usage_calls including defaults)', partition);
  execute format('alter table usage_calls attach partition %I for values from (%L) to (%L)', partition,
    day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
end $$;

create function drop_usage_partitions(before date) returns integer language plpgsql as $$
declare
  partition text;
  dropped integer := 0;
begin
  for partition in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'usage_calls'::regclass and c.relname < 'usage_calls_' || to_char(before, 'YYYYMMDD')
  loop
    execute format('drop table %I', partition);
    dropped := dropped + 1;
  end loop;
  return dropped;
end $$;

-- Sums of what one commit brought, written in that commit. Rolling up moves them: a row is deleted here and added
-- there in one statement, so each call is counted once, whoever is killed when. '' stands for none.
create table usage_deltas (
  tenant_id text not null,
  at timestamptz not null,
  application_id text not null,
  user_id text not null,
  method text not null,
  route text not null,
  status smallint not null,
  rule_id text not null,
  -- of the duration: four for each doubling of the microseconds
  bucket smallint not null,
  calls bigint not null,
  duration numeric not null,
  cost numeric not null
);
create index usage_deltas_tenant on usage_deltas (tenant_id, at);

-- Sums by minute (kept two days), hour (three months) and day (for ever).
create table usage_rollups (
  tenant_id text not null references tenants on delete cascade,
  grain text not null check (grain in ('minute', 'hour', 'day')),
  at timestamptz not null,
  application_id text not null,
  user_id text not null,
  method text not null,
  route text not null,
  status smallint not null,
  rule_id text not null,
  bucket smallint not null,
  calls bigint not null,
  duration numeric not null,
  cost numeric not null,
  primary key (tenant_id, grain, at, application_id, user_id, method, route, status, rule_id, bucket)
);
create index usage_rollups_age on usage_rollups (grain, at);

-- What is to be paid, for ever: every call of a day is in exactly one entry.
create table ledger_entries (
  tenant_id text not null references tenants on delete cascade,
  day date not null,
  application_id text not null,
  user_id text not null,
  rule_id text not null,
  calls bigint not null,
  amount numeric not null,
  primary key (tenant_id, day, application_id, user_id, rule_id)
);
