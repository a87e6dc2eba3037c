/** Headers that are sent with an upload; signatures may cover these and no others. */
const SENT_HEADERS = new Set(["host", "content-type", "content-length", "x-ms-blob-type"]);

/** Why a presigned address cannot work, as far as it says so itself; null when it may. Other addresses have no such parts. */
export function presignedProblem(url: URL, nowMs: number): string | null {
  const { searchParams } = url;
  const parameter = (name: string): string | null =>
    searchParams.get(`X-Amz-${name}`) ?? searchParams.get(`X-Goog-${name}`);
  const endMs = signedMs(parameter("Date")) + Number(parameter("Expires") ?? Number.NaN) * 1000;
  if (endMs <= nowMs) return `its signature has expired ${Math.round((nowMs - endMs) / 1000)} s ago`;
  const unknown = (parameter("SignedHeaders") ?? "")
    .split(";")
    .filter((name) => /^[a-z0-9-]+$/.test(name) && !SENT_HEADERS.has(name));
  if (unknown.length === 0) return null;
  return `its signature covers headers that are not sent (got ${unknown.slice(0, 5).join(", ")}, limit ${[...SENT_HEADERS].join(", ")})`;
}

/** `20261129T123000Z` as milliseconds; NaN for anything else. */
function signedMs(text: string | null): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "") ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
