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
