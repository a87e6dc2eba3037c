// Ajv refuses a valid object when `unevaluatedProperties` stands beside `allOf` and an `if` that does not hold and has no `else`.
// packages: ajv@8.20.0
//
// RunPod's REST v2 describes the creation of an endpoint so: fields in `allOf`, a rule for load balancers in `if` and `then`, and
// no other fields. By JSON Schema 2020-12 an `if` that fails adds nothing to what `allOf` has evaluated; Ajv forgets what
// `allOf` has evaluated. Generated clients that validate with Ajv refuse every queue endpoint. Validate fields and conditions
// with two schemas.
import Ajv2020 from "ajv/dist/2020.js";

const fields = { allOf: [{ properties: { type: { type: "string" }, delay: { type: "number" } } }] };
const rule = JSON.parse(`{
  "if": { "required": ["type"], "properties": { "type": { "const": "LOAD_BALANCER" } } },
  "then": { "properties": { "delay": false } }
}`);
const body = { type: "QUEUE", delay: 4 };

const verdict = (schema) => new Ajv2020({ strict: false }).compile(schema)(body);
const together = verdict({ ...fields, ...rule, unevaluatedProperties: false });
const withoutRule = verdict({ ...fields, unevaluatedProperties: false });
const ruleAlone = verdict(rule);

console.log(
  `fields: ${withoutRule ? "valid" : "invalid"}, rule: ${ruleAlone ? "valid" : "invalid"}, both: ${together ? "valid" : "invalid"}`,
);
const isStillSo = withoutRule && ruleAlone && !together;
console.log(isStillSo ? "still so" : "no longer so");
process.exitCode = isStillSo ? 0 : 1;
