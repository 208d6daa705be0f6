-- Keys of the dialects whose tokens are no tokens of OAuth: BlueKing's gateway (RS512), Zibanu (HS512). A table of its
-- own, as a server of the version before publishes whatever it finds in signing_keys.
create table dialect_keys (
  tenant_id text not null references tenants on delete cascade,
  -- what its tokens are for; a purpose has one algorithm
  purpose text not null,
  kid text not null,
  algorithm text not null check (algorithm in ('RS512', 'HS512')),
  -- RS512: PKCS #8 PEM, null once the key is retired; HS512: the secret in base64url
  sealed_secret bytea,
  -- RS512: SPKI PEM
  public_key text,
  status text not null check (status in ('next', 'active', 'retiring')),
  created_at timestamptz not null,
  activates_at timestamptz not null,
  expires_at timestamptz,
  primary key (tenant_id, purpose, kid),
  check ((algorithm = 'RS512') = (public_key is not null)),
  check (sealed_secret is not null or (algorithm = 'RS512' and status = 'retiring'))
);
create unique index dialect_keys_active on dialect_keys (tenant_id, purpose) where status = 'active';
