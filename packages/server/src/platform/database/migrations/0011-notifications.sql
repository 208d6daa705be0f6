-- What leaves the server after the transaction that decided it: mails, text messages, logout tokens. A row is deleted
-- when the next station has taken it over.
create table outgoing_messages (
  tenant_id text not null references tenants on delete cascade,
  id text not null,
  kind text not null,
  -- JSON, purpose `outgoing`: addresses and links are not for everybody who reads a dump
  sealed_payload bytea not null,
  attempts integer not null default 0,
  -- while a process sends it: until when it has it for itself
  next_attempt_at timestamptz not null,
  expires_at timestamptz not null,
  created_at timestamptz not null,
  primary key (tenant_id, id)
);
create index outgoing_messages_due on outgoing_messages (kind, next_attempt_at);

-- A tenant's own words in place of the built-in ones.
create table message_templates (
  tenant_id text not null references tenants on delete cascade,
  template text not null,
  channel text not null check (channel in ('email', 'sms')),
  locale text not null,
  -- null for text messages
  subject text,
  text text not null,
  -- null: made of the text
  html text,
  version integer not null default 1,
  updated_at timestamptz not null,
  primary key (tenant_id, template, channel, locale)
);

-- OpenID Connect Back-Channel Logout: where an application hears that a session ended, and which sessions it knows.
alter table applications add column backchannel_logout_uri text;

create table session_applications (
  tenant_id text not null,
  session_id text not null,
  application_id text not null,
  -- as the application knows us: one tenant may have two addresses
  issuer text not null,
  primary key (tenant_id, session_id, application_id),
  foreign key (tenant_id, session_id) references sessions on delete cascade,
  foreign key (tenant_id, application_id) references applications on delete cascade
);
create index session_applications_application on session_applications (tenant_id, application_id);

-- Sessions that began through an application: counted and ended together.
create index sessions_application on sessions (tenant_id, application_id) where application_id is not null and revoked_at is null;
