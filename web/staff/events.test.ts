// @vitest-environment node
// Every event that the program writes has words in the console.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { eventText } from './events'

const domain = fileURLToPath(new URL('../../refund', import.meta.url))

test('no event is shown by its name in the books', () => {
  const texts = readdirSync(domain).filter((f) => f.endsWith('.go') && !f.endsWith('_test.go')).map((f) => readFileSync(join(domain, f), 'utf8')).join('\n')
  const events = new Set([...texts.matchAll(/"((?:order|his|review|payout|suspense|callback)\.[a-z_]+(?:\.[a-z_]+)?)"/g)].map((m) => m[1]!))
  expect(events.size).toBeGreaterThan(20)
  expect([...events].filter((e) => eventText(e) === e)).toEqual([])
})
