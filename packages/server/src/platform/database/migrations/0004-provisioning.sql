-- Who a user is elsewhere. `realm` is where a subject is unique (a Feishu tenant key); empty: not said.
create table federated_identities (
  tenant_id text not null,
  provider text not null,
  realm text not null default '',
  kind text not null,
  subject text not null,
  user_id text not null,
  created_at timestamptz not null,
  primary key (tenant_id, provider, realm, kind, subject),
  foreign key (tenant_id, user_id) references users on delete cascade
);
create index federated_identities_user on federated_identities (tenant_id, user_id);

-- Feishu applications ("bots") in whose name messages are sent.
create table feishu_bots (
  tenant_id text not null references tenants on delete cascade,
  id text not null,
  app_id text not null,
  name text not null default '',
  base_url text not null,
  -- purpose `feishu-bot`
  sealed_secret bytea not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
);
create unique index feishu_bots_app on feishu_bots (tenant_id, app_id);
