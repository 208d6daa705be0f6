import { type Static, type TSchema, Type } from "typebox";
import { CreateRole, RoleCodes, RoleName } from "./access.ts";
import { CreateDelegation, UpdateAccessGrant } from "./access-grants.ts";
import { API_KEY_PATTERN, API_KEY_TYPES, CreateApiKey } from "./api-keys.ts";
import { MAXIMUM_SECRETS, UpdateApplication } from "./applications.ts";
import { Code, Json, Line, Nullable, OneOf, Slug, StrictObject } from "./common.ts";
import { CreateGroup } from "./groups.ts";
import { CreateNamespace, CreateResource } from "./namespaces.ts";
import { MessageTemplateKey, WriteMessageTemplate } from "./notifications.ts";
import { CreateOrganization, CreateUnit, PutUnitMember } from "./organizations.ts";
import { CreatePolicy, EFFECTS, Pattern, Patterns } from "./policies.ts";
import { TenantSettingsPatch } from "./settings.ts";
import { CreateBillingRule } from "./usage.ts";
import { CreateCustomField, PasswordInput, UpdateUser } from "./users.ts";
import { CreateWebhook } from "./webhooks.ts";

export const CONFIGURATION_VERSION = "ostiary/v1";

/** Keys of an application in the file that belong to parts of the product which this version does not have. */
export const FUTURE_APPLICATION_KEYS = ["groups"] as const;

/** `hmac-sha256:<installation>:<digest>`, both base64url. Worth something on the installation that wrote it only. */
const KeyedHash = Type.String({
  maxLength: 96,
  pattern: "^hmac-sha256:[A-Za-z0-9_-]{8}:[A-Za-z0-9_-]{43}$",
  description: "As `ostiary export` writes it; refused on another installation than the one that wrote it",
});
const Hint = Type.String({
  maxLength: 4,
  pattern: "^[\\u0021-\\u007E]*$",
  description: "The last four characters",
});
const Moment = Type.String({ format: "date-time", maxLength: 64 });

const UserReference = Type.String({
  minLength: 1,
  maxLength: 254,
  description: "A user's username; or id, e-mail address or phone number",
});

/** The numbers that are given out afterwards are higher, and must stay exact in JavaScript: half of them are left. */
const GivenSerial = Type.Integer({
  minimum: 1,
  maximum: 2 ** 52,
  description: "A number beside the id, for programs that need integers; of new objects only",
});
const GivenId = Type.String({
  pattern: "^[0-9a-f]{24}$",
  description: "24 lowercase hexadecimal characters; used for new objects, fixed for those that exist",
});

const { namespace, code, name, description, permissions } = CreateRole.properties;
const ConfigurationRole = StrictObject({
  namespace,
  code,
  name,
  description,
  permissions,
  parent: Type.Optional(
    Nullable(RoleName, { description: "The role of the same namespace whose permissions it has too" }),
  ),
});
export type ConfigurationRole = Static<typeof ConfigurationRole>;

const ConfigurationUser = StrictObject(
  {
    id: Type.Optional(GivenId),
    serial: Type.Optional(GivenSerial),
    ...UpdateUser.properties,
    registerSource: Type.Optional(Line(64, { minLength: 1, description: "Default `configuration`" })),
    password: Type.Optional(PasswordInput),
    mustChangePassword: Type.Optional(
      Type.Boolean({ description: "Ask for a new password at the next sign-in; used with `password` only" }),
    ),
    roles: Type.Optional(RoleCodes),
    administrator: Type.Optional(
      Type.Boolean({ description: "Whether the user has the built-in role `administrator`" }),
    ),
  },
  { description: "Found by id, else by username, e-mail address or phone number" },
);
export type ConfigurationUser = Static<typeof ConfigurationUser>;

const { slug: _slug, ...applicationFields } = UpdateApplication.properties;

const ConfigurationApplication = StrictObject({
  key: Slug,
  id: Type.Optional(GivenId),
  serial: Type.Optional(GivenSerial),
  ...applicationFields,
  secret: Type.Optional(
    Type.String({
      minLength: 8,
      maxLength: 256,
      pattern: "^[\\u0021-\\u007E]+$",
      description:
        "In the clear; replaces the others unless it is one of them. A new application without one gets one, shown once",
    }),
  ),
  secrets: Type.Optional(
    Type.Array(
      StrictObject({
        hash: KeyedHash,
        hint: Hint,
        expiresAt: Type.Optional(Nullable(Moment)),
      }),
      { maxItems: MAXIMUM_SECRETS, description: "Written by `ostiary export`" },
    ),
  ),
  users: Type.Optional(
    Type.Array(UserReference, {
      maxItems: 100_000,
      uniqueItems: true,
      description: "Who may use it when `access` is `assigned`; the others are taken off the list",
    }),
  ),
});
export type ConfigurationApplication = Static<typeof ConfigurationApplication>;

const { userId: _userId, applicationId: _applicationId, ...apiKeyFields } = CreateApiKey.properties;

const ConfigurationApiKey = StrictObject(
  {
    ...apiKeyFields,
    type: OneOf(API_KEY_TYPES),
    user: Type.Optional(UserReference),
    application: Type.Optional(Slug),
    key: Type.Optional(
      Type.String({
        pattern: API_KEY_PATTERN,
        maxLength: 35,
        description: "In the clear. A new key without one gets one, shown once",
      }),
    ),
    hash: Type.Optional(KeyedHash),
    hint: Type.Optional(Hint),
  },
  { description: "Found by its value when that is given, else by type, owner and name" },
);
export type ConfigurationApiKey = Static<typeof ConfigurationApiKey>;

const Members = Type.Array(UserReference, {
  maxItems: 100_000,
  uniqueItems: true,
  description: "All members; the others are taken out",
});

const ConfigurationGroup = StrictObject({
  id: Type.Optional(GivenId),
  serial: Type.Optional(GivenSerial),
  ...CreateGroup.properties,
  members: Type.Optional(Members),
});
export type ConfigurationGroup = Static<typeof ConfigurationGroup>;

const UnitMembers = Type.Array(
  Type.Union([UserReference, StrictObject({ user: UserReference, ...PutUnitMember.properties })]),
  { maxItems: 100_000, description: "All members; the others are taken out" },
);

const { organizationId: _organizationId, parentId: _parentId, ...unitFields } = CreateUnit.properties;
const UnitFields = StrictObject({ ...unitFields, members: Type.Optional(UnitMembers) });
export interface ConfigurationUnit extends Static<typeof UnitFields> {
  units?: ConfigurationUnit[];
}

/** Units within units, as deep as they can be. */
function unitsWithin(levels: number) {
  const units = levels > 1 ? { units: Type.Optional(unitsWithin(levels - 1)) } : {};
  const unit: TSchema = StrictObject({ ...UnitFields.properties, ...units });
  return Type.Unsafe<ConfigurationUnit[]>(Type.Array(unit, { maxItems: 10_000 }));
}

/** From the organization, itself a unit, down; so that a whole file is nested less than 32 deep. */
export const MAXIMUM_UNIT_DEPTH = 12;

const ConfigurationOrganization = StrictObject({
  id: Type.Optional(GivenId),
  serial: Type.Optional(GivenSerial),
  ...CreateOrganization.properties,
  members: Type.Optional(UnitMembers),
  units: Type.Optional(unitsWithin(MAXIMUM_UNIT_DEPTH - 1)),
});
export type ConfigurationOrganization = Static<typeof ConfigurationOrganization>;

const UnitReference = Type.String({
  minLength: 1,
  maxLength: 257,
  pattern: "^[^\\s/*]+(?:/[^\\s/*]+)?$",
  description: "`organization/unit`, or the code of an organization for all of it",
});

/** One of these: to whom. */
const subject = {
  user: Type.Optional(UserReference),
  group: Type.Optional(Code),
  unit: Type.Optional(UnitReference),
  application: Type.Optional(Slug),
};

const ConfigurationGrant = StrictObject(
  {
    ...subject,
    toRole: Type.Optional(RoleName),
    role: Type.Optional(RoleName),
    policy: Type.Optional(RoleName),
    namespace: Type.Optional(Code),
    resource: Type.Optional(Pattern),
    actions: Type.Optional(Patterns),
    effect: Type.Optional(OneOf(EFFECTS)),
    inherit: UpdateAccessGrant.properties.inherit,
    enabled: UpdateAccessGrant.properties.enabled,
  },
  {
    description:
      "One of `role`, `policy` and `resource` with `actions`, given to one of `user`, `group`, `unit`, `application` and `toRole`",
  },
);
export type ConfigurationGrant = Static<typeof ConfigurationGrant>;

const ConfigurationDelegation = StrictObject(
  {
    ...subject,
    toRole: Type.Optional(RoleName),
    inOrganization: Type.Optional(Code),
    inUnit: Type.Optional(UnitReference),
    inApplication: Type.Optional(Slug),
    inNamespace: Type.Optional(Code),
    permissions: CreateDelegation.properties.permissions,
  },
  { description: "Permissions that hold in one place only" },
);
export type ConfigurationDelegation = Static<typeof ConfigurationDelegation>;

const { applicationId: _webhookApplication, ...webhookFields } = CreateWebhook.properties;

const ConfigurationWebhook = StrictObject(
  {
    ...webhookFields,
    application: Type.Optional(Slug),
    sealed: Type.Optional(
      Type.String({
        maxLength: 65_536,
        pattern: "^sealed:[A-Za-z0-9_-]+$",
        description:
          "Secret and headers as `ostiary export` writes them; refused on another installation than the one that wrote it",
      }),
    ),
  },
  { description: "Found by address, format and application" },
);
export type ConfigurationWebhook = Static<typeof ConfigurationWebhook>;
const { applicationId: _ruleApplication, ...ruleFields } = CreateBillingRule.properties;

const ConfigurationBillingRule = StrictObject(
  { application: Type.Optional(Slug), ...ruleFields },
  { description: "Found by application, method and path; without `application` it is for all" },
);
export type ConfigurationBillingRule = Static<typeof ConfigurationBillingRule>;

const ConfigurationMessageTemplate = StrictObject(
  { ...MessageTemplateKey.properties, ...WriteMessageTemplate.properties },
  { description: "Your own words for a message; found by message, channel and language" },
);
export type ConfigurationMessageTemplate = Static<typeof ConfigurationMessageTemplate>;

const ConfigurationTenant = StrictObject({
  slug: Slug,
  id: Type.Optional(GivenId),
  name: Type.Optional(Line(128, { minLength: 1, description: "Default: the slug" })),
  settings: Type.Optional(TenantSettingsPatch),
  customFields: Type.Optional(Type.Array(CreateCustomField, { maxItems: 1_000 })),
  namespaces: Type.Optional(Type.Array(CreateNamespace, { maxItems: 10_000 })),
  resources: Type.Optional(Type.Array(CreateResource, { maxItems: 100_000 })),
  roles: Type.Optional(Type.Array(ConfigurationRole, { maxItems: 10_000 })),
  policies: Type.Optional(Type.Array(CreatePolicy, { maxItems: 10_000 })),
  users: Type.Optional(Type.Array(ConfigurationUser, { maxItems: 100_000 })),
  applications: Type.Optional(Type.Array(ConfigurationApplication, { maxItems: 10_000 })),
  groups: Type.Optional(Type.Array(ConfigurationGroup, { maxItems: 10_000 })),
  organizations: Type.Optional(Type.Array(ConfigurationOrganization, { maxItems: 10_000 })),
  grants: Type.Optional(Type.Array(ConfigurationGrant, { maxItems: 100_000 })),
  delegations: Type.Optional(Type.Array(ConfigurationDelegation, { maxItems: 10_000 })),
  apiKeys: Type.Optional(Type.Array(ConfigurationApiKey, { maxItems: 100_000 })),
  webhooks: Type.Optional(Type.Array(ConfigurationWebhook, { maxItems: 10_000 })),
  billingRules: Type.Optional(Type.Array(ConfigurationBillingRule, { maxItems: 100_000 })),
  messageTemplates: Type.Optional(Type.Array(ConfigurationMessageTemplate, { maxItems: 300 })),
});
export type ConfigurationTenant = Static<typeof ConfigurationTenant>;

/** The file of `ostiary apply` and `ostiary export`: docs/configuration.md. */
export const ConfigurationFile = StrictObject(
  {
    version: Type.Literal(CONFIGURATION_VERSION),
    tenants: Type.Array(ConfigurationTenant, { minItems: 1, maxItems: 10_000 }),
  },
  { title: "Ostiary configuration file" },
);
export type ConfigurationFile = Static<typeof ConfigurationFile>;

export const CONFIGURATION_KINDS = [
  "tenant",
  "settings",
  "customField",
  "namespace",
  "resource",
  "role",
  "policy",
  "group",
  "organization",
  "unit",
  "grant",
  "delegation",
  "user",
  "application",
  "apiKey",
  "webhook",
  "billingRule",
  "messageTemplate",
] as const;
export type ConfigurationKind = (typeof CONFIGURATION_KINDS)[number];

export const ConfigurationChange = Type.Object({
  tenant: Type.String({ description: "Slug of the tenant" }),
  kind: OneOf(CONFIGURATION_KINDS),
  name: Type.String({ description: "What the file calls it: a slug, code, key, username …" }),
  action: OneOf(["create", "update"]),
  fields: Type.Array(Type.String(), {
    description: "Which fields change; of a creation, which the file names",
  }),
});
export type ConfigurationChange = Static<typeof ConfigurationChange>;

/** What a file changes, or has changed. */
export const ConfigurationResult = Type.Object({
  changes: Type.Array(ConfigurationChange),
  unchanged: Type.Integer({ minimum: 0, description: "So many objects are as the file says already" }),
  generated: Type.Array(
    Type.Object({
      tenant: Type.String(),
      kind: OneOf(["application", "apiKey", "webhook"]),
      name: Type.String(),
      secret: Type.String({ description: "Shown this once" }),
    }),
    { description: "Secrets that the file left to us; empty in a plan" },
  ),
});
export type ConfigurationResult = Static<typeof ConfigurationResult>;

export const ConfigurationSchema = Type.Unsafe<Record<string, unknown>>({
  type: "object",
  description: "JSON Schema of the file",
});

export const ExportQuery = StrictObject({
  format: Type.Optional(OneOf(["yaml", "json"], { description: "Default: by `Accept`, else YAML" })),
  tenant: Type.Optional(Slug),
  credentials: Type.Optional(
    Type.Boolean({
      default: true,
      description:
        "Whether hashes of passwords, secrets and keys are included; that needs the permission `*`",
    }),
  ),
});
export type ExportQuery = Static<typeof ExportQuery>;

/** Anything that a YAML file can hold. */
export const ConfigurationBody = Json;
