import { type Static, Type } from "typebox";
import {
  Code,
  Id,
  Line,
  Lines,
  Nullable,
  Optionals,
  Serial,
  StrictObject,
  Timestamp,
  Version,
} from "./common.ts";
import { LocalizedNames } from "./namespaces.ts";
import { Email } from "./users.ts";

const Names = Type.Record(Type.String(), Type.String());

/** A company inside a tenant: a tree of units. */
export const Organization = Type.Object({
  id: Id,
  serial: Serial,
  code: Code,
  name: Type.String(),
  names: Names,
  description: Type.String(),
  rootUnitId: Nullable(Id, { description: "The unit that stands for the organization as a whole" }),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Organization = Static<typeof Organization>;

const texts = {
  code: Type.Optional(Code),
  name: Type.Optional(Line(128)),
  names: Type.Optional(LocalizedNames),
  description: Type.Optional(Lines(1_024)),
};

export const CreateOrganization = StrictObject({ ...texts, code: Code });
export type CreateOrganization = Static<typeof CreateOrganization>;

export const UpdateOrganization = StrictObject(texts);
export type UpdateOrganization = Static<typeof UpdateOrganization>;

const Position = Type.Integer({
  minimum: 0,
  maximum: 1_000_000,
  description: "Place among its siblings; default 0",
});

/** A part of an organization: a department, a team. */
export const Unit = Type.Object({
  id: Id,
  serial: Serial,
  organizationId: Id,
  parentId: Nullable(Id, { description: "null: the organization as a whole" }),
  code: Code,
  name: Type.String(),
  names: Names,
  description: Type.String(),
  position: Position,
  path: Type.Array(Id, { description: "Ids from the root unit to this one" }),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Unit = Static<typeof Unit>;

export const CreateUnit = StrictObject({
  ...texts,
  organizationId: Id,
  parentId: Type.Optional(Id),
  code: Code,
  position: Type.Optional(Position),
});
export type CreateUnit = Static<typeof CreateUnit>;

export const UpdateUnit = StrictObject({
  ...texts,
  parentId: Type.Optional(
    Type.String({ pattern: "^[0-9a-f]{24}$", description: "Moves it, with all below it" }),
  ),
  position: Type.Optional(Position),
});
export type UpdateUnit = Static<typeof UpdateUnit>;

const Title = Line(128, { description: "What the user is there: a title" });

export const UnitMember = Type.Object({
  unitId: Id,
  userId: Id,
  main: Type.Boolean({
    description: "Whether the user mostly belongs here; true for one unit of a user at most",
  }),
  position: Type.String(),
  joinedAt: Timestamp,
});
export type UnitMember = Static<typeof UnitMember>;

export const PutUnitMember = StrictObject({
  main: Type.Optional(Type.Boolean({ description: "Absent: as it is" })),
  position: Type.Optional(Title),
});
export type PutUnitMember = Static<typeof PutUnitMember>;

export const UserUnits = Type.Object({ items: Type.Array(UnitMember) });

/** An offer to become a member: of a unit, or of the tenant. */
export const Invitation = Type.Object({
  id: Id,
  unitId: Nullable(Id, { description: "null: into the tenant, without a unit" }),
  email: Nullable(Type.String()),
  roles: Type.Array(Type.String(), { description: "Codes of roles that come with it" }),
  position: Type.String(),
  sent: Type.Boolean({ description: "Whether the token was sent to the address, and shown to nobody" }),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  expiresAt: Timestamp,
  acceptedAt: Nullable(Timestamp),
  acceptedBy: Nullable(Id),
});
export type Invitation = Static<typeof Invitation>;

export const CreateInvitation = StrictObject({
  unitId: Type.Optional(
    Type.String({ pattern: "^[0-9a-f]{24}$", description: "Default: none, into the tenant only" }),
  ),
  email: Type.Optional(
    Type.String({
      ...Email,
      description: "Only for a user who has verified this address; default: for anybody",
    }),
  ),
  roles: Type.Optional(
    Type.Array(Line(257, { minLength: 1 }), {
      maxItems: 20,
      description: "Codes; `namespace/code` outside of the namespace `default`",
    }),
  ),
  position: Type.Optional(Title),
  expiresInSeconds: Type.Optional(
    Type.Integer({ minimum: 60, maximum: 31_536_000, description: "Default: 7 days" }),
  ),
  send: Type.Optional(
    Type.Boolean({
      description:
        "Send the link to `email` and show the token to nobody: an account made with it has a verified address. " +
        "Default: false",
    }),
  ),
});
export type CreateInvitation = Static<typeof CreateInvitation>;

export const CreatedInvitation = Type.Object({
  ...Invitation.properties,
  token: Nullable(Type.String(), {
    description: "Shown this once; who is to accept needs it. null when it was sent",
  }),
});
export type CreatedInvitation = Static<typeof CreatedInvitation>;

const InvitationToken = Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9_-]+$" });

export const AcceptInvitation = StrictObject({ token: InvitationToken });

/** What came of an invitation. The fields of a membership are there when it was one into a unit. */
export const AcceptedInvitation = Type.Object({
  ...Optionals(UnitMember.properties),
  userId: Id,
  roles: Type.Array(Type.String(), { description: "Codes of the roles that came with it" }),
});
export type AcceptedInvitation = Static<typeof AcceptedInvitation>;
