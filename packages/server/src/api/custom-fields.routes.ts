import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  CreateCustomField,
  CustomField,
  ListQuery,
  SearchText,
  StrictObject,
  UpdateCustomField,
} from "@ostiary/contracts";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  createCustomField,
  deleteCustomField,
  getCustomField,
  listCustomFields,
  updateCustomField,
} from "../domain/users/index.ts";
import { registerResource } from "./resource.ts";

const CustomFieldQuery = StrictObject({ ...ListQuery.properties, search: Type.Optional(SearchText) });

/** Definitions of the fields that users have beside the standard ones. */
export function customFieldRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/custom-fields",
      names: { one: "custom field", many: "custom fields", One: "CustomField", Many: "CustomFields" },
      permissions: { read: "user:read", write: "settings:write" },
      schemas: {
        item: CustomField,
        create: CreateCustomField,
        change: UpdateCustomField,
        query: CustomFieldQuery,
      },
      notes: {
        change: "The type is fixed. Values that users have already are not checked again.",
        remove: "The field goes with its value in every user.",
      },
      list: listCustomFields,
      get: getCustomField,
      create: createCustomField,
      change: updateCustomField,
      remove: deleteCustomField,
    });
  };
}
