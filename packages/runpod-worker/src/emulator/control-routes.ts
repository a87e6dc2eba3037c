import { Hono, type Context } from "hono";
import { statusBodyOf } from "../job-queue/job-record.ts";
import { isRecord } from "../protocol/is-record.ts";
import type { EmulatorParts } from "./emulator.ts";
import type { Exchange } from "./exchange-log.ts";
import type { Fault, FaultAction, FaultRule } from "./faults.ts";
import { ROUTE_NAMES, type RouteName } from "./request-target.ts";
import type { EmulatorEnvironment } from "./worker-routes.ts";

/** Where the controls are; requests below it are neither recorded nor struck by faults. */
export const CONTROL_PREFIX = "/_emulator";

type ControlContext = Context<EmulatorEnvironment>;

/** A request for control that cannot be understood. */
class ControlError extends Error {
  override readonly name = "ControlError";
}

const ACTION_KINDS: readonly FaultAction["kind"][] = [
  "respond",
  "delay",
  "hold",
  "drop",
  "reset",
  "truncate",
  "duplicate",
];

/** The controls over HTTP, so that tests in any language can use them. Bodies and answers are JSON. */
export function createControlRoutes(emulator: EmulatorParts): Hono<EmulatorEnvironment> {
  const app = new Hono<EmulatorEnvironment>().basePath(CONTROL_PREFIX);
  app.onError((error) => {
    const status = error instanceof ControlError ? 400 : 500;
    return Response.json({ error: status === 400 ? error.message : "internal error" }, { status });
  });
  addReports(app, emulator);
  addFaultControls(app, emulator);
  addJobControls(app, emulator);
  app.post("/clock", async (context) => {
    const { advanceMs, scale } = await bodyOf(context);
    if (typeof scale === "number") emulator.clock.setScale(scale);
    if (typeof advanceMs === "number") emulator.clock.advance(advanceMs);
    return context.json({ nowMs: emulator.clock.now(), scale: emulator.clock.scale });
  });
  return app;
}

function addReports(app: Hono<EmulatorEnvironment>, { platform, requests, fleet }: EmulatorParts): void {
  app.get("/", (context) => {
    const { queue, violations, totals } = platform;
    const health = { jobs: queue.counts, workers: platform.workerCounts() };
    return context.json({ health, totals, violations: violations.counts(), requests: requests.total });
  });
  app.get("/requests", (context) => {
    const { route, workerId, jobId, after } = context.req.query();
    const number = Number(after ?? 0);
    const found = requests.list({
      ...(route === undefined ? {} : { route: routeNamed(route) }),
      ...(workerId === undefined ? {} : { workerId }),
      ...(jobId === undefined ? {} : { jobId }),
      where: (exchange: Exchange) => exchange.number > number,
    });
    return context.json({ requests: found });
  });
  app.get("/violations", (context) => context.json({ violations: platform.violations.list() }));
  app.get("/workers", (context) => {
    const workers = platform.workers.list().map((worker) => {
      const { id, pings, pingedJobIds, version, unhealthy, isLost, isStopping } = worker;
      const jobs = platform.heldBy(id).map((record) => record.id);
      return { id, pings, pingedJobIds, version, unhealthy, isLost, isStopping, jobs };
    });
    const processes = fleet.list().map(({ podId, pid, isStopping }) => ({ podId, pid, isStopping }));
    return context.json({ workers, processes });
  });
  app.post("/forget", (context) => {
    requests.clear();
    platform.violations.clear();
    return context.json({});
  });
}

function addFaultControls(app: Hono<EmulatorEnvironment>, { faults }: EmulatorParts): void {
  const known = new Map<string, Fault>();
  const faultOf = (context: ControlContext): Fault => {
    const fault = known.get(context.req.param("id") ?? "");
    if (fault === undefined) throw new ControlError("there is no such fault");
    return fault;
  };
  app.post("/faults", async (context) => {
    const id = String(known.size + 1);
    known.set(id, faults.add(faultRuleOf(await bodyOf(context))));
    return context.json({ id });
  });
  app.get("/faults", (context) =>
    context.json({ faults: [...known].map(([id, { rule, hits }]) => ({ id, ...rule, hits })) }),
  );
  app.post("/faults/:id/release", (context) => {
    faultOf(context).release();
    return context.json({});
  });
  app.delete("/faults/:id", (context) => {
    faultOf(context).remove();
    return context.json({});
  });
  app.delete("/faults", (context) => {
    faults.clear();
    known.clear();
    return context.json({});
  });
  app.post("/freeze", async (context) => {
    faults.freeze(routeNamed((await bodyOf(context))["route"], "*"));
    return context.json({});
  });
  app.post("/thaw", async (context) => {
    faults.thaw(routeNamed((await bodyOf(context))["route"], "*"));
    return context.json({});
  });
}

function addJobControls(app: Hono<EmulatorEnvironment>, { platform, fleet }: EmulatorParts): void {
  const { queue, workers } = platform;
  app.post("/jobs", async (context) => {
    const { id, fields, input } = await bodyOf(context);
    const options = {
      ...(typeof id === "string" ? { id } : {}),
      ...(isRecord(fields) ? { extraFields: fields } : {}),
    };
    return context.json(statusBodyOf(queue.submit({ input }, options)));
  });
  app.post("/jobs/:id/deliver-again", (context) => {
    const record = queue.get(context.req.param("id"));
    if (record?.workerId === undefined) throw new ControlError("no worker has had this job");
    platform.noteDuplicates([record]);
    workers.deliverAgain(record.workerId, record);
    return context.json({});
  });
  app.post("/workers/:id/stop", async (context) => {
    const { jobIds } = await bodyOf(context);
    if (!Array.isArray(jobIds)) throw new ControlError("jobIds must be a list");
    workers.requestStop(context.req.param("id"), jobIds.map(String));
    return context.json({});
  });
  app.post("/workers/:id/lose", (context) => {
    workers.lose(context.req.param("id"));
    return context.json({});
  });
  app.post("/workers/:id/signal", async (context) => {
    const worker = fleet.list().find(({ podId }) => podId === context.req.param("id"));
    if (worker === undefined) throw new ControlError("this worker was not started by the emulator");
    const { signal } = await bodyOf(context);
    if (signal !== "SIGTERM" && signal !== "SIGINT" && signal !== "SIGKILL") {
      throw new ControlError("signal must be SIGTERM, SIGINT or SIGKILL");
    }
    worker.signal(signal);
    return context.json({});
  });
}

async function bodyOf(context: ControlContext): Promise<Readonly<Record<string, unknown>>> {
  const body: unknown = await context.req.json().catch(() => undefined);
  if (!isRecord(body)) throw new ControlError("the body must be a JSON object");
  return body;
}

/** Reads a rule as JSON has it. @throws Error that says what is wrong. */
export function faultRuleOf(body: Readonly<Record<string, unknown>>): FaultRule {
  const { route, action, times, skip, probability } = body;
  const kind = isRecord(action) ? action["kind"] : undefined;
  if (!ACTION_KINDS.some((known) => known === kind)) {
    throw new ControlError(`action.kind must be one of ${ACTION_KINDS.join(", ")}`);
  }
  return {
    route: Array.isArray(route) ? route.map((name) => routeNamed(name)) : routeNamed(route, "*"),
    action: action as FaultAction,
    // JSON has no Infinity.
    ...(times === "always" ? { times: Number.POSITIVE_INFINITY } : typeof times === "number" ? { times } : {}),
    ...(typeof skip === "number" ? { skip } : {}),
    ...(typeof probability === "number" ? { probability } : {}),
  };
}

function routeNamed(name: unknown): RouteName;
function routeNamed<Other extends string>(name: unknown, other: Other): RouteName | Other;
function routeNamed(name: unknown, other?: string): string {
  const found = ROUTE_NAMES.find((known) => known === name) ?? (name === other ? other : undefined);
  if (found === undefined) throw new ControlError(`route must be one of ${ROUTE_NAMES.join(", ")}`);
  return found;
}
