import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { texts } from './scripts/texts.mjs'
import { patience } from './tests/patience.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const alias = {
  '@texts': here('../internal/i18n'), '@shared': here('./shared'), '@vouchers': here('../internal/voucher/samples'),
}

// What all walks have in common: each waits for what must come as long as a full machine takes.
const walks = { environment: 'node' as const, expect: { poll: { timeout: patience } }, testTimeout: 420_000, hookTimeout: 240_000, fileParallelism: false }

// unit: without a browser. browser: walks through the running program in
// Debian's chromium; console: those of the staff. books: one
// whose day holds no payments but its own. shots: a picture of every screen; the
// console's are those of the demo with its past.
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [texts(), vue()], resolve: { alias }, server: { fs: { allow: [here('..')] } },
        test: { name: 'unit', include: ['{shared,portal,staff,kiosk}/**/*.test.ts', 'tests/*.test.ts'], environment: 'happy-dom' },
      },
      {
        plugins: [texts()], resolve: { alias },
        test: {
          ...walks, name: 'browser', include: ['tests/browser/*.test.ts'], globalSetup: ['tests/house.ts'],
        },
      },
      {
        plugins: [texts()], resolve: { alias },
        test: {
          ...walks, name: 'console', include: ['tests/console/*.test.ts'], exclude: ['tests/console/books.test.ts'],
          globalSetup: ['tests/house-console.ts'],
        },
      },
      {
        plugins: [texts()], resolve: { alias },
        test: {
          ...walks, name: 'books', include: ['tests/console/books.test.ts'], globalSetup: ['tests/house-console.ts'],
        },
      },
      {
        plugins: [texts()], resolve: { alias },
        test: {
          name: 'shots', include: ['tests/shots/portal.test.ts', 'tests/shots/pay.test.ts'], environment: 'node', env: { SCALE: '2' },
          globalSetup: ['tests/house-console.ts'], testTimeout: 600_000, hookTimeout: 120_000, fileParallelism: false,
        },
      },
      {
        plugins: [texts()], resolve: { alias },
        test: {
          name: 'shots-staff', include: ['tests/shots/staff.test.ts'], environment: 'node', globalSetup: ['tests/house-demo.ts'],
          testTimeout: 600_000, hookTimeout: 120_000,
        },
      },
    ],
  },
})
