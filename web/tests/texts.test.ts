// @vitest-environment node
// Every sentence that the pages say exists in every language, with the same
// places, and none of them is left over.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import en from '@texts/en.json'
import zh from '@texts/zh-CN.json'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = ['portal', 'shared'].flatMap((dir) => (readdirSync(join(root, dir), { recursive: true }) as string[])
  .filter((f) => /\.(vue|ts)$/.test(f) && !f.endsWith('.test.ts')).map((f) => readFileSync(join(root, dir, f), 'utf8'))).join('\n')
const texts: Record<string, Record<string, string>> = { 'zh-CN': zh, en }
const places = (s: string) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join()

test('both languages have the same keys and places', () => {
  expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort())
  for (const [key, text] of Object.entries(zh)) expect(places((en as Record<string, string>)[key] ?? ''), key).toBe(places(text))
})

test('no sentence is empty, and Chinese ones are Chinese', () => {
  for (const [lang, all] of Object.entries(texts)) for (const [key, text] of Object.entries(all)) expect(text.trim(), `${lang} ${key}`).not.toBe('')
  for (const [key, text] of Object.entries(zh)) expect(text, key).toMatch(/[\u4e00-\u9fff]/)
})

test('every key in the sources exists', () => {
  const used = [...sources.matchAll(/['"`]((?:page|error|status|next|timeline|proxy|channel|reason)\.[\w.]+)['"`]/g)].map((m) => m[1]!)
  expect(used.length).toBeGreaterThan(100)
  for (const key of used) expect(zh, key).toHaveProperty([key])
})

test('every key of the pages is used', () => {
  const stems = [...sources.matchAll(/`(page\.[\w.]+\.)\$\{/g)].map((m) => m[1]!)
  for (const key of Object.keys(zh)) {
    if (!key.startsWith('page.')) continue
    expect(sources.includes(`'${key}'`) || stems.some((s) => key.startsWith(s)), `${key} is said nowhere`).toBe(true)
  }
})
