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
    // These only end what hangs: no test may fail because a machine is slow. Polls end first, as they say what is missing.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 240_000 } },
  },
});
