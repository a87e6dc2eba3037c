/** For routes of your own beside RunPod's (`doors` of the local API): the same access rules, bounds and queue. */
export type { ByteBudget } from "../job-queue/byte-budget.ts";
export type { DoorHost } from "../local-api/local-api.ts";
export {
  type AccessRules,
  checkForeignPage,
  isAuthorized,
  isSameSecret,
  refuseForeignPages,
} from "../public-api/access.ts";
export type { HttpEnvironment } from "../public-api/http-environment.ts";
export type { UpgradeHandler } from "../public-api/http-server.ts";
export { PublicApiError } from "../public-api/public-api-error.ts";
export { type BodyRules, type JsonBody, readBytes, readJson } from "../public-api/request-body.ts";
