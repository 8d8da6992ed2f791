// Holds the budgets of the pages: what index.html asks for at once, gzipped, and
// the width of the sources.
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const web = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(web, '../pb_public/dist')
const limits = { 'index.html': 90 * 1024, 'kiosk/index.html': 150 * 1024 }
let bad = false

for (const [page, limit] of Object.entries(limits)) {
  const html = readFileSync(join(dist, page), 'utf8')
  const files = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((m) => m[1])
  const size = [...new Set(files)].reduce((n, f) => n + gzipSync(readFileSync(join(dist, f))).length, gzipSync(html).length)
  console.log(`${page}: first load ${(size / 1024).toFixed(1)} KB gzip of ${limit / 1024} KB (${files.join(', ')})`)
  bad ||= size > limit || files.length === 0
}

// Pages run where there is no internet, and under a policy without inline code but
// for the one script of the patients' page, which the server names by its hash.
for (const name of readdirSync(dist, { recursive: true })) {
  if (!/\.(html|css)$/.test(String(name))) continue
  const text = readFileSync(join(dist, String(name)), 'utf8')
  for (const m of text.matchAll(/https?:\/\/[^\s"')]+|<script(?![^>]*\bsrc=)|\son\w+="|style="/g)) {
    if (m[0].startsWith('http://www.w3.org/') || (name === 'index.html' && m.index === text.indexOf('<script>'))) continue
    console.error(`${name}: ${m[0]} has no place in a page`)
    bad = true
  }
}

// Lines that fit beside each other. What a program writes is not read this way.
const WIDTH = 160
const LENGTH = 400
const SHAPE = /\b(call|send|upload|getOne|getList|getFullList)<\{/
const written = ['records.ts', 'answers.ts'].map((name) => join('shared', name))
const sources = readdirSync(web, { recursive: true }).map(String)
  .filter((name) => /\.(ts|vue|mjs|css)$/.test(name) && !/(^|\/)node_modules\//.test(name) && !written.includes(name))
for (const name of sources) {
  const lines = readFileSync(join(web, name), 'utf8').split('\n')
  lines.forEach((line, i) => {
    if (line.length <= WIDTH) return
    console.error(`${name}:${i + 1}: ${line.length} characters, at most ${WIDTH}`)
    bad = true
  })
  lines.forEach((line, i) => {
    if (!SHAPE.test(line) || !/^(portal|staff|kiosk)\//.test(name)) return
    console.error(`${name}:${i + 1}: the shape of an answer is written in shared/answers.ts`)
    bad = true
  })
  if (lines.length <= LENGTH + 1) continue
  console.error(`${name}: ${lines.length - 1} lines, at most ${LENGTH}`)
  bad = true
}
console.log(`${sources.length} sources, at most ${WIDTH} characters wide and ${LENGTH} lines long`)
process.exit(bad ? 1 : 0)
