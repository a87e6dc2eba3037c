/** The part of the Standard Schema interface (standardschema.dev, version 1) that validating an input needs. */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Either the value as the schema returns it, or all its issues in one message. */
export type ValidatedInput<Output> = { readonly value: Output } | { readonly error: string };

/** Validates a job's input; an error names every field that is wrong (spec platform §7.1, [R]). */
export async function validateInput<Output>(
  schema: StandardSchema<Output>,
  input: unknown,
): Promise<ValidatedInput<Output>> {
  const result = await schema["~standard"].validate(input);
  if (result.issues === undefined) return { value: result.value };
  return { error: `Invalid input: ${result.issues.map(describeIssue).join("; ")}` };
}

function describeIssue(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((step) => String(typeof step === "object" ? step.key : step)).join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}
