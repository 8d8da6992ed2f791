// Why a folder counts as a copy, and how far its check is.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { checkedShare, reasonText } from './restored'

test('every reason of the program has words', () => {
  const source = readFileSync(join(dirname(fileURLToPath(import.meta.url)), '../../collections/home.go'), 'utf8')
  const reasons = [...source.matchAll(/return "([a-z]+)"/g)].map((m) => m[1]!)
  expect(new Set(reasons)).toEqual(new Set(['moved', 'replaced', 'older']))
  for (const why of [...reasons, 'restored']) expect(reasonText(why)).toMatch(/[\u4e00-\u9fff]/)
})

test('what is left is never rounded away', () => {
  expect(checkedShare({ open: 1000, unchecked: 1 })).toBe(99)
  expect(checkedShare({ open: 3, unchecked: 0 })).toBe(100)
  expect(checkedShare({ open: 0, unchecked: 0 })).toBe(100)
})
