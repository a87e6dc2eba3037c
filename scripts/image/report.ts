/** Counts checks and says each one's outcome as it comes. */
export class Report {
  passed = 0;
  failed = 0;

  /** Runs one check; it fails when it throws. The text it returns is shown. */
  async check(name: string, verify: () => Promise<string | void> | string | void): Promise<boolean> {
    try {
      const seen = await verify();
      this.passed += 1;
      console.log(`ok      ${name}${typeof seen === "string" ? `: ${seen}` : ""}`);
      return true;
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }
}

/** @throws {Error} with this text unless it is so */
export function expectThat(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new Error(otherwise);
}
