-- Second factors, codes, passkeys, remembered devices, and changes of identifiers.

-- Codes and links that were sent: one for each purpose of one sign-in or change; sending again replaces it. That one
-- was used is in `single_uses`: attempts are counted beside the transaction that uses it, and must not wait for it.
create table one_time_codes (
  tenant_id text not null references tenants on delete cascade,
  purpose text not null,
  -- the flow or the change it belongs to
  subject text not null,
  -- null: nobody's; nothing was sent
  user_id text,
  -- keyed hash of what was typed: wrong codes are counted alike whether it is somebody's or not
  account text not null,
  channel text not null check (channel in ('email', 'sms')),
  target text,
  -- Secrets.keyedHash, purpose `one-time-code`
  code_hash bytea not null,
  attempts integer not null default 0,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, purpose, subject),
  foreign key (tenant_id, user_id) references users on delete cascade
);
create index one_time_codes_user on one_time_codes (tenant_id, user_id) where user_id is not null;
create index one_time_codes_expiry on one_time_codes (expires_at);

create table totp_authenticators (
  tenant_id text not null,
  id text not null,
  user_id text not null,
  name text not null,
  -- purpose `totp`
  sealed_secret bytea not null,
  -- the newest step (RFC 6238) that was accepted: it and those before it are used up
  last_step bigint not null default 0,
  -- null: begun, not a factor yet
  confirmed_at timestamptz,
  created_at timestamptz not null,
  last_used_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users on delete cascade
);
create index totp_authenticators_user on totp_authenticators (tenant_id, user_id);
create index totp_authenticators_begun on totp_authenticators (created_at) where confirmed_at is null;

-- Challenges are not stored: they carry a keyed hash, and `single_uses` remembers the used ones.
create table passkeys (
  tenant_id text not null,
  id text not null,
  user_id text not null,
  credential_id bytea not null,
  -- COSE key (RFC 9052 §7)
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null default '{}',
  aaguid text not null,
  rp_id text not null,
  name text not null,
  backed_up boolean not null,
  created_at timestamptz not null,
  last_used_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users on delete cascade
);
create unique index passkeys_credential on passkeys (tenant_id, credential_id);
create index passkeys_user on passkeys (tenant_id, user_id);

create table recovery_codes (
  tenant_id text not null,
  user_id text not null,
  -- Secrets.keyedHash of user and code, purpose `recovery-code`
  hash bytea not null,
  created_at timestamptz not null,
  used_at timestamptz,
  primary key (tenant_id, user_id, hash),
  foreign key (tenant_id, user_id) references users on delete cascade
);

-- Browsers from which a user has signed in; until `remembered_until` they need no second factor.
create table known_devices (
  tenant_id text not null,
  id text not null,
  user_id text not null,
  -- Secrets.keyedHash of the cookie's secret, purpose `known-device`
  secret_hash bytea not null,
  name text not null,
  ip text,
  user_agent text,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  remembered_until timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users on delete cascade
);
create index known_devices_user on known_devices (tenant_id, user_id, last_seen_at);
create index known_devices_age on known_devices (last_seen_at);

-- An identifier that is to change: applied when both the old and the new one are confirmed.
create table identifier_changes (
  tenant_id text not null,
  id text not null,
  user_id text not null,
  kind text not null check (kind in ('email', 'phone', 'username', 'backup_email')),
  -- null: the identifier goes
  new_value text,
  old_confirmed_at timestamptz,
  new_confirmed_at timestamptz,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  applied_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users on delete cascade
);
create index identifier_changes_user on identifier_changes (tenant_id, user_id);
create index identifier_changes_expiry on identifier_changes (expires_at);

-- Where codes may go when the ordinary address is lost; no identifier, so not unique.
alter table users
  add column backup_email text,
  add column backup_email_verified boolean not null default false;

-- What later steps need: required acr, pending target, remember, recovery. Never a secret.
alter table sign_in_flows add column facts jsonb not null default '{}';

-- An administrator who acts as the user; null: the user himself.
alter table sessions
  add column impersonator_id text,
  add column impersonation_reason text;

-- Until now there was one method, so nobody has chosen it: which ones may be used is the tenant's to say.
update applications set sign_in_methods = '{password,passkey,email_code,sms_code,magic_link}'
  where sign_in_methods = '{password}';
