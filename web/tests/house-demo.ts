// The demo as `make demo` shows it: the past, the scripted day, then the
// running program.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { room, start } from './house'

export default async (project: TestProject) => {
  const dir = mkdtempSync(join(tmpdir(), 'hospay-shots-'))
  const base = await room()
  const address = `127.0.0.1:${base + 9}`
  const demo = start(['demo', '--dir', dir, '--http', address, '--sim-port', String(base)])
  for (let i = 0; !demo.log().includes('服务在运行'); i++) {
    if (demo.child.exitCode !== null || i > 3000) throw new Error(`the demo does not run\n${demo.log()}`)
    await new Promise((r) => setTimeout(r, 100))
  }
  project.provide('app', `http://${address}`)
  project.provide('sims', base)
  project.provide('dir', dir)
  return async () => {
    const gone = new Promise((r) => demo.child.once('exit', r))
    demo.child.kill('SIGTERM')
    await gone
    rmSync(dir, { recursive: true, force: true })
  }
}
