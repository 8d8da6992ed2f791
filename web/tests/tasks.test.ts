// @vitest-environment node
// What a page does goes through useTask: nobody holds a spinner or a failure by
// hand, and forgets one of them on one way out.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = ['portal', 'staff', 'kiosk'].flatMap((dir) => (readdirSync(join(root, dir), { recursive: true }) as string[])
  .filter((f) => f.endsWith('.vue')).map((f) => join(dir, f)))

test('no page keeps a failure or a spinner of its own', () => {
  expect(pages.length).toBeGreaterThan(50)
  const own = pages.filter((f) => /\.value = failure\(|ref<Failure \| null>|const busy = ref\(/.test(readFileSync(join(root, f), 'utf8')))
  expect(own).toEqual([])
})
