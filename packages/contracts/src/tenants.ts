import { type Static, Type } from "typebox";
import { Id, Line, Slug, StrictObject, Timestamp, Version } from "./common.ts";
import { TenantSettings, TenantSettingsPatch } from "./settings.ts";

const Name = Line(128, { minLength: 1 });

/** An isolation boundary: own users, applications, keys and settings. */
export const Tenant = Type.Object({
  id: Id,
  slug: Slug,
  name: Name,
  settings: TenantSettings,
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Tenant = Static<typeof Tenant>;

export const CreateTenant = StrictObject({
  slug: Slug,
  name: Name,
  settings: Type.Optional(TenantSettingsPatch),
});
export type CreateTenant = Static<typeof CreateTenant>;

export const UpdateTenant = StrictObject({
  slug: Type.Optional(Slug),
  name: Type.Optional(Name),
  settings: Type.Optional(TenantSettingsPatch),
});
export type UpdateTenant = Static<typeof UpdateTenant>;
