-- Who is told of events, and what each was told.

create table webhooks (
  tenant_id text not null references tenants on delete cascade,
  id text not null,
  -- the application that registered it; it is told of users who may use that application only
  application_id text,
  name text not null default '',
  url text not null,
  -- event names, `user.*` or `*`
  events text[] not null,
  format text not null,
  -- purpose `webhook-secret`; null: not signed
  sealed_secret bytea,
  -- JSON, purpose `webhook-headers`; they may be credentials
  sealed_headers bytea,
  timeout_seconds integer not null default 10,
  status text not null default 'active' check (status in ('active', 'disabled')),
  -- deliveries in a row that failed
  failures integer not null default 0,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, application_id) references applications on delete cascade
);
create unique index webhooks_target on webhooks (tenant_id, coalesce(application_id, ''), url, format);

-- One event for one webhook: the queue while `pending`, the log afterwards. `sequence` is the order of the outbox.
create table webhook_deliveries (
  tenant_id text not null,
  id text not null,
  sequence bigint generated always as identity,
  webhook_id text not null,
  event_id text not null,
  event text not null,
  -- what it is about: deliveries with the same one wait for each other
  ordering_key text not null,
  body text not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  -- until when the process that sends it has it for itself
  leased_until timestamptz,
  last_status integer,
  last_error text,
  created_at timestamptz not null,
  finished_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, webhook_id) references webhooks on delete cascade
);
create index webhook_deliveries_queue on webhook_deliveries (webhook_id, sequence) where state = 'pending';
create index webhook_deliveries_turn on webhook_deliveries (webhook_id, ordering_key, sequence) where state = 'pending';
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where state = 'pending';
create index webhook_deliveries_leased on webhook_deliveries (leased_until) where leased_until is not null;
create index webhook_deliveries_log on webhook_deliveries (tenant_id, webhook_id, id);
create index webhook_deliveries_finished on webhook_deliveries (finished_at) where finished_at is not null;

create table webhook_attempts (
  tenant_id text not null,
  delivery_id text not null,
  number integer not null,
  at timestamptz not null,
  milliseconds integer not null,
  -- null: no answer
  status integer,
  -- the beginning of the answer, or why there was none
  response text not null,
  primary key (tenant_id, delivery_id, number),
  foreign key (tenant_id, delivery_id) references webhook_deliveries on delete cascade
);

insert into event_cursors (reader, xid, position)
  select 'webhooks', xid, position from event_cursors where reader = 'audit';
