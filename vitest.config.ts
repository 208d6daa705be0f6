import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["ostiary-source"] },
  ssr: { resolve: { conditions: ["ostiary-source"] } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "tests/**/*.test.ts",
      "bench/**/*.test.ts",
      "scripts/**/*.test.ts",
    ],
    globalSetup: ["packages/server/src/testing/global-set-up.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
