import { defineConfig } from "vitest/config";
import { PlainReporter } from "./scripts/plain-reporter.ts";

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["source"] } },
  test: {
    include: [
      "packages/*/{src,test}/**/*.test.ts",
      "apps/*/{src,test}/**/*.test.ts",
      "test/**/*.test.ts",
      "scripts/**/*.test.ts",
    ],
    pool: "forks",
    reporters: ["default", new PlainReporter()],
    testTimeout: 30_000,
    // Only what never happens may fail a poll, not a machine that is slow.
    expect: { poll: { timeout: 25_000 } },
  },
});
