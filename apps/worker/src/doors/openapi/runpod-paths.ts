import { json, jsonBody, object, pathParameter, type Paths, ref, refusals, TEXT } from "./parts.ts";

const STATUSES = ["IN_QUEUE", "IN_PROGRESS", "COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"];

export const RUNPOD_SCHEMAS = {
  ApiError: object({ error: TEXT, code: TEXT, retryable: { type: "boolean" } }),
  RunRequest: object(
    {
      input: { description: "A job; checked when it runs", anyOf: [ref("JobInput"), {}] },
      policy: {
        type: ["object", "null"],
        properties: {
          executionTimeout: {
            type: ["number", "null"],
            description: "Milliseconds",
            minimum: 5000,
            maximum: 604_800_000,
          },
          ttl: { type: ["number", "null"], description: "Milliseconds", minimum: 10_000, maximum: 604_800_000 },
          lowPriority: { type: ["boolean", "null"] },
        },
      },
      s3Config: { type: ["object", "null"], description: "A store for this job, instead of the server's" },
      webhook: { type: ["string", "null"], description: "An http or https address that gets the job's end" },
    },
    ["input"],
  ),
  JobStatus: object(
    {
      id: TEXT,
      status: { enum: STATUSES },
      output: { description: "The output of a job that has ended, else its progress" },
      error: TEXT,
      code: TEXT,
      retryable: { type: "boolean" },
      delayTime: { type: "integer", description: "Milliseconds in the queue" },
      executionTime: { type: "integer", description: "Milliseconds of work" },
      workerId: TEXT,
      retries: { type: "integer" },
    },
    ["id", "status"],
  ),
  JobStream: object({ status: { enum: STATUSES }, stream: { type: "array", items: object({ output: {} }) } }),
} as const;

const ID = pathParameter("id", "A job's id");
const WAIT = {
  name: "wait",
  in: "query",
  description: "Milliseconds to wait for news",
  schema: { type: "integer", minimum: 0, maximum: 300_000 },
};

/** RunPod's own API; each route also exists below `/{endpoint}` and `/v2/{endpoint}`. */
export function runPodPaths(): Paths {
  const onJob = (operationId: string, summary: string, more: object = {}) => ({
    operationId,
    summary,
    parameters: [ID],
    responses: { "200": json("The job", ref("JobStatus")), ...refusals("ApiError", ["404", "410", "429"]) },
    ...more,
  });
  const submit = (operationId: string, summary: string, more: object = {}) => ({
    operationId,
    summary,
    requestBody: jsonBody(ref("RunRequest"), { input: { transcript: "The sun is warm." } }),
    responses: { "200": json("The job", ref("JobStatus")), ...refusals("ApiError", ["400", "413", "415", "429"]) },
    ...more,
  });
  const list = (operationId: string, summary: string) => ({
    operationId,
    summary,
    responses: { "200": json(summary, { type: "object" }), ...refusals("ApiError", []) },
  });
  const probe = (operationId: string, summary: string) => ({
    operationId,
    summary,
    security: [{}],
    responses: {
      "200": { description: "Ready" },
      "204": { description: "The model is loading" },
      "503": { description: "The model cannot be used, or the server ends" },
      "403": json("From a web page of another origin", ref("ApiError")),
    },
  });
  return {
    "/run": { post: submit("run", "Queue a job and answer at once") },
    "/runsync": { post: submit("runSync", "Queue a job and wait for its end", { parameters: [WAIT] }) },
    "/status/{id}": { get: onJob("status", "Where a job stands") },
    "/status-sync/{id}": { get: onJob("statusSync", "Wait for a job's end", { parameters: [ID, WAIT] }) },
    "/stream/{id}": {
      get: onJob("stream", "What a streamed job has given since the last call", {
        parameters: [ID, WAIT],
        responses: { "200": json("The items", ref("JobStream")), ...refusals("ApiError", ["404", "410", "429"]) },
      }),
    },
    "/cancel/{id}": { post: onJob("cancel", "Stop a job") },
    "/retry/{id}": {
      post: onJob("retry", "Run a failed job again", {
        responses: {
          "200": json("The job", ref("JobStatus")),
          ...refusals("ApiError", ["400", "404", "410", "429"]),
        },
      }),
    },
    "/purge-queue": { post: list("purgeQueue", "Cancel all jobs that wait") },
    "/requests": { get: list("requests", "All jobs that are known") },
    "/health": { get: list("health", "Counts of jobs and workers, and the model") },
    "/ready": { get: probe("ready", "Whether jobs can be done") },
    "/ping": { get: probe("ping", "The same, as load balancers ask") },
  };
}
