import { Hono, type Context, type MiddlewareHandler } from "hono";
import type { AdjustableClock } from "../job-queue/clock.ts";
import { statusBodyOf } from "../job-queue/job-record.ts";
import { isRecord } from "../protocol/is-record.ts";
import { refuseForeignPages, requireKey, type AccessRules } from "../public-api/access.ts";
import { answerOfError } from "../public-api/public-api-error.ts";
import { readJson } from "../public-api/request-body.ts";
import {
  checkNames,
  controlError,
  faultRuleOf,
  numberField,
  routeNamed,
  textField,
  type Fields,
} from "./control-fields.ts";
import type { EmulatorParts } from "./emulator-parts.ts";
import type { Exchange } from "./exchange-log.ts";
import type { Fault } from "./faults.ts";
import type { EmulatorEnvironment } from "./worker-routes.ts";

/** Path of the controls; requests below it are neither recorded nor affected by faults. */
export const CONTROL_PREFIX = "/_emulator";

type ControlContext = Context<EmulatorEnvironment>;

/**
 * The controls over HTTP, for tests in any language. Bodies and answers are JSON; where clients need a key,
 * so do the controls.
 */
export function createControlRoutes(emulator: EmulatorParts, access: AccessRules): Hono<EmulatorEnvironment> {
  const app = new Hono<EmulatorEnvironment>().basePath(CONTROL_PREFIX);
  app.onError(answerOfError);
  app.use("*", refuseForeignPages(access) as MiddlewareHandler, requireKey(access) as MiddlewareHandler);
  addReports(app, emulator);
  addFaultControls(app, emulator);
  addJobControls(app, emulator);
  app.post("/clock", async (context) => {
    turnClock(emulator.clock, await bodyOf(context, emulator));
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
    if (!Number.isFinite(number)) throw controlError("after must be the number of a request");
    const found = requests.list({
      route: route === undefined ? undefined : routeNamed(route),
      workerId,
      jobId,
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

function addFaultControls(app: Hono<EmulatorEnvironment>, emulator: EmulatorParts): void {
  const { faults } = emulator;
  const known = new Map<string, Fault>();
  const faultOf = (context: ControlContext): Fault => {
    const fault = known.get(context.req.param("id") ?? "");
    if (fault === undefined) throw controlError("the fault does not exist");
    return fault;
  };
  app.post("/faults", async (context) => {
    const id = String(known.size + 1);
    known.set(id, faults.add(faultRuleOf(await bodyOf(context, emulator))));
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
    faults.freeze(routeNamed((await bodyOf(context, emulator))["route"], "*"));
    return context.json({});
  });
  app.post("/thaw", async (context) => {
    faults.thaw(routeNamed((await bodyOf(context, emulator))["route"], "*"));
    return context.json({});
  });
}

function addJobControls(app: Hono<EmulatorEnvironment>, emulator: EmulatorParts): void {
  const { platform, fleet } = emulator;
  const { queue, workers } = platform;
  app.post("/jobs", async (context) => {
    const body = await bodyOf(context, emulator);
    checkNames(body, ["id", "fields", "input"]);
    const id = textField(body, "id");
    const { fields = {}, input } = body;
    if (!isRecord(fields)) throw controlError("fields must be an object");
    if (id !== undefined && queue.get(id) !== undefined) throw controlError("id is in use");
    return context.json(statusBodyOf(queue.submit({ input }, { id, extraFields: fields })));
  });
  app.post("/jobs/:id/deliver-again", (context) => {
    const record = queue.get(context.req.param("id"));
    if (record?.workerId === undefined) throw controlError("no worker has had this job");
    if (record.isInputDropped) throw controlError("the input of this job was dropped when it ended");
    platform.noteDuplicates([record]);
    workers.deliverAgain(record.workerId, record);
    return context.json({});
  });
  app.post("/workers/:id/stop", async (context) => {
    const { jobIds } = await bodyOf(context, emulator);
    if (!Array.isArray(jobIds) || !jobIds.every((jobId) => typeof jobId === "string")) {
      throw controlError("jobIds must be a list of strings");
    }
    workers.requestStop(context.req.param("id"), jobIds);
    return context.json({});
  });
  app.post("/workers/:id/lose", (context) => {
    workers.lose(context.req.param("id"));
    return context.json({});
  });
  app.post("/workers/:id/signal", async (context) => {
    const worker = fleet.list().find(({ podId }) => podId === context.req.param("id"));
    if (worker === undefined) throw controlError("this worker was not started by the emulator");
    const { signal } = await bodyOf(context, emulator);
    if (signal !== "SIGTERM" && signal !== "SIGINT" && signal !== "SIGKILL") {
      throw controlError("signal must be SIGTERM, SIGINT or SIGKILL");
    }
    worker.signal(signal);
    return context.json({});
  });
}

/** Bytes of a control's body; fits a job with the platform's largest input. */
const BODY_LIMIT_BYTES = 24 * 1024 * 1024;

async function bodyOf(context: ControlContext, { platform }: EmulatorParts): Promise<Fields> {
  const rules = { limitBytes: BODY_LIMIT_BYTES, budget: platform.queue.inputs, requiresJsonType: false };
  const { value } = await readJson(context as Context, rules);
  if (!isRecord(value)) throw controlError("the body must be a JSON object");
  return value;
}

/** Changes the clock as the body says: all of it or nothing. */
function turnClock(clock: AdjustableClock, fields: Fields): void {
  checkNames(fields, ["advanceMs", "scale"]);
  const scale = numberField(fields, "scale", { min: 0, max: MAX_CLOCK_SCALE });
  const advanceMs = numberField(fields, "advanceMs", { min: 0, max: MAX_DATE_MS - clock.now() });
  if (scale === undefined && advanceMs === undefined) throw controlError("advanceMs or scale must be given");
  if (scale !== undefined) clock.setScale(scale);
  if (advanceMs !== undefined) clock.advance(advanceMs);
}

/** The latest possible date. */
const MAX_DATE_MS = 8.64e15;
/** A day in under a tenth of a second. */
const MAX_CLOCK_SCALE = 1e6;
