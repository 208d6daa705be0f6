-- Invitations into the tenant itself and with roles; an address's own proof that the offer was sent to it.

alter table invitations
  -- null: into the tenant, without a unit
  alter column unit_id drop not null,
  add column role_ids text[] not null default '{}',
  -- the token went to the address and nowhere else: who has it reads that mailbox
  add column sent boolean not null default false;

-- An administrator's permission to act as a user, once, from his own browser.
create table impersonations (
  tenant_id text not null,
  id text not null,
  impersonator_id text not null,
  user_id text not null,
  reason text not null,
  -- Secrets.keyedHash, purpose `impersonation`
  token_hash bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, impersonator_id) references users on delete cascade,
  foreign key (tenant_id, user_id) references users on delete cascade
);
create unique index impersonations_token on impersonations (tenant_id, token_hash);
create index impersonations_expiry on impersonations (expires_at);
create index impersonations_impersonator on impersonations (tenant_id, impersonator_id);
create index impersonations_user on impersonations (tenant_id, user_id);

alter table federated_identities
  add column id text not null default left(replace(gen_random_uuid()::text, '-', ''), 24);
create unique index federated_identities_id on federated_identities (tenant_id, id);

-- Proof of one account that another one is to take over the identities of: see docs/decisions/0017.
create table account_links (
  tenant_id text not null,
  -- Secrets.keyedHash, purpose `account-link`
  token_hash bytea not null,
  user_id text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, token_hash),
  foreign key (tenant_id, user_id) references users on delete cascade
);
create index account_links_user on account_links (tenant_id, user_id);
create index account_links_expiry on account_links (expires_at);

alter table identifier_changes
  -- as it was when the change began: one that has changed meanwhile is not the one that was asked
  add column old_value text,
  -- whether the old one was confirmed then, so that its owner must agree
  add column asks_old boolean not null default false;
