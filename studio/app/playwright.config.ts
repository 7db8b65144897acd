import { defineConfig } from '@playwright/test';

// The tests drive Debian's Chromium, the browser that draws the images too.
const browser = process.env.PICTIFYD_TEST_CHROME ?? '/usr/bin/chromium-headless-shell';

export default defineConfig({
  outputDir: process.env.PICTIFYD_E2E_OUT ?? '../../out/studio-e2e',
  fullyParallel: false,
  workers: Number(process.env.PICTIFYD_E2E_WORKERS ?? 2),
  forbidOnly: true,
  retries: 1, // what passes only then is printed as flaky
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  projects: [
    { name: 'unit', testDir: 'src', testMatch: '**/*.test.ts' },
    {
      name: 'browser',
      testDir: 'e2e',
      testMatch: '**/*.spec.ts',
      testIgnore: process.env.PICTIFYD_BENCH ? [] : ['**/bench.spec.ts'], // measures, and fails nothing
      use: { launchOptions: { executablePath: browser, args: ['--no-sandbox'] }, viewport: { width: 1280, height: 800 }, locale: 'en-GB', timezoneId: 'UTC', trace: 'retain-on-failure' },
    },
  ],
});
