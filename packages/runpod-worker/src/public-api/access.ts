import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { isLoopbackHost } from "../network/public-address.ts";
import type { HttpEnvironment } from "./http-environment.ts";
import { PublicApiError } from "./public-api-error.ts";

/** Who may call a server. */
export interface AccessRules {
  /** Required as `Authorization`, with or without `Bearer`, for all but the open routes. Absent: no key is required. */
  readonly apiKey?: string | undefined;
  /**
   * True for a server that only this machine can reach. Without a key it then refuses requests that a web page could make a browser
   * send: those that name another host (DNS rebinding) or come from another origin.
   */
  readonly isLoopbackOnly?: boolean | undefined;
  /** Origins whose web pages may call the server from a browser (CORS), such as `https://example.com`; `*` is all. Default none. */
  readonly allowedOrigins?: readonly string[] | undefined;
}

/** True if the header is the key, with or without `Bearer`, as the platform takes it (spec platform §5.4). */
export function isAuthorized(header: string | undefined, key: string): boolean {
  return isSameSecret((header ?? "").replace(/^Bearer\s+/i, ""), key);
}

/** Compares in constant time, regardless of length. */
export function isSameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(digest(given), digest(secret));
}

/**
 * Middleware that requires the key.
 *
 * @throws {RangeError} when the key is empty
 * @throws {PublicApiError} UNAUTHORIZED when a request has no key or a wrong one
 */
export function requireKey({ apiKey }: AccessRules): MiddlewareHandler<HttpEnvironment> {
  if (apiKey === "") throw new RangeError("Cannot require the key: it is empty");
  return async (context, next) => {
    if (apiKey !== undefined && !isAuthorized(context.req.header("authorization"), apiKey)) throw unauthorized();
    return next();
  };
}

/**
 * For open routes: whether the caller may see details. A missing key is allowed, a wrong one is refused.
 *
 * @throws {PublicApiError} UNAUTHORIZED when the key is wrong
 */
export function mayShowDetails(context: Context<HttpEnvironment>, { apiKey }: AccessRules): boolean {
  const header = context.req.header("authorization");
  if (apiKey === undefined || (header !== undefined && isAuthorized(header, apiKey))) return true;
  if (header !== undefined) throw unauthorized();
  return false;
}

/**
 * Middleware that refuses requests that web pages of other hosts make a browser send.
 *
 * @throws {PublicApiError} FORBIDDEN when a request names another host or comes from another origin
 */
export function refuseForeignPages(rules: AccessRules): MiddlewareHandler<HttpEnvironment> {
  return async (context, next) => {
    const { headers } = context.req.raw;
    checkForeignPage((name) => headers.get(name) ?? undefined, rules);
    return next();
  };
}

/**
 * The same for requests that are not answered by routes, such as those for a WebSocket.
 *
 * @param header gives a header's value by its lower-case name
 * @throws {PublicApiError} FORBIDDEN when the request names another host or comes from another origin
 */
export function checkForeignPage(header: (name: string) => string | undefined, rules: AccessRules): void {
  if (rules.isLoopbackOnly === true && rules.apiKey === undefined) checkOrigin(header, rules);
}

/** True if web pages of the origin may call the server. */
function isAllowedOrigin(origin: string, { allowedOrigins = [] }: AccessRules): boolean {
  return allowedOrigins.includes("*") || allowedOrigins.includes(origin.toLowerCase());
}

/** Middleware that lets web pages of the allowed origins call the server and read its answers; does nothing without any. */
export function allowOrigins(rules: AccessRules): MiddlewareHandler<HttpEnvironment> {
  if ((rules.allowedOrigins ?? []).length === 0) return (_context, next) => next();
  return cors({
    origin: (origin) => (isAllowedOrigin(origin, rules) ? origin : null),
    allowMethods: ["GET", "POST", "DELETE", "OPTIONS"],
    exposeHeaders: ["*"],
    maxAge: PREFLIGHT_MAX_AGE_SECONDS,
  });
}

const PREFLIGHT_MAX_AGE_SECONDS = 600;

function checkOrigin(header: (name: string) => string | undefined, rules: AccessRules): void {
  const host = header("host") ?? "";
  const target = urlOf(`http://${host}`);
  if (target === undefined || !isLoopbackHost(target.hostname)) {
    throw forbidden(`the request names another host (got ${JSON.stringify(host.slice(0, 80))})`);
  }
  const origin = header("origin");
  if (origin !== undefined && isAllowedOrigin(origin, rules)) return;
  const site = header("sec-fetch-site");
  const isForeign = origin !== undefined && urlOf(origin)?.host !== target.host;
  if (isForeign || site === "cross-site" || site === "same-site")
    throw forbidden("a web page of another origin sent it");
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function forbidden(why: string): PublicApiError {
  const fix = "call it as localhost from a program, or start it with a key";
  return new PublicApiError("FORBIDDEN", `Cannot answer: this server serves its own machine only, and ${why}; ${fix}`);
}

function unauthorized(): PublicApiError {
  const message = "Cannot answer: the key is missing or wrong; send it as Authorization: Bearer KEY";
  return new PublicApiError("UNAUTHORIZED", message, { "www-authenticate": "Bearer" });
}

// Digests have equal lengths, which timingSafeEqual requires, and hide the length of the key.
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
