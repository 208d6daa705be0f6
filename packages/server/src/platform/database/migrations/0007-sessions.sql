-- Sessions of other doors: a ticket of a dialect is a session too, with lifetimes of its own, counted in its slot and
-- ended with the browser session from which it was made.
alter table sessions
  add column application_id text,
  add column parent_id text,
  add column slot text not null default '',
  add column idle_seconds integer,
  add column absolute_seconds integer;

create index sessions_parent_id on sessions (tenant_id, parent_id) where parent_id is not null;
