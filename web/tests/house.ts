// The running program for browser tests: the real binary on a demo folder,
// with the simulators in a process of their own. Nothing in it is a stub.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { patience } from './patience'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const binary = join(root, 'bin/hospay')

declare module 'vitest' {
  export interface ProvidedContext { app: string; sims: number; dir: string }
}

/** up waits until a program answers. */
export async function up(url: string, child: ChildProcess, log: () => string): Promise<void> {
  for (let i = 0; i < patience / 100; i++) {
    if (child.exitCode !== null) throw new Error(`${url}: the program ended with ${child.exitCode}\n${log()}`)
    try {
      if ((await fetch(url)).ok) return
    } catch {
      // not listening yet
    }
    await new Promise((r) => setTimeout(r, 100))
  }
  throw new Error(`${url} does not answer\n${log()}`)
}

export function start(args: string[], more: Record<string, string> = {}): { child: ChildProcess; log: () => string } {
  const child = spawn(binary, args, { cwd: root, env: { ...process.env, HOSPAY_ENV: 'demo', HOSPAY_LOG: '', ...more } })
  let text = ''
  for (const s of [child.stdout, child.stderr]) s.on('data', (d: Buffer) => { text = (text + d.toString()).slice(-20_000) })
  return { child, log: () => text }
}

/** room finds ten ports in a row that nobody uses, below those that connections take for themselves. */
export async function room(): Promise<number> {
  const free = (port: number) => new Promise<boolean>((done) => {
    const s = createServer().once('error', () => done(false)).listen(port, '127.0.0.1', () => s.close(() => done(true)))
  })
  for (let base = 12_000 + (process.pid % 1900) * 10; base < 32_000; base += 10) {
    const all = await Promise.all(Array.from({ length: 10 }, (_, i) => free(base + i)))
    if (all.every(Boolean)) return base
  }
  throw new Error('no ten free ports')
}

/** people decide in these walks, not the rules. */
async function people(app: string): Promise<void> {
  const post = async (method: string, path: string, token: string, body: unknown) => {
    const res = await fetch(
      app + path,
      { method, headers: { 'Content-Type': 'application/json', Authorization: token }, body: body === undefined ? undefined : JSON.stringify(body) }
    )
    if (!res.ok) throw new Error(`${path}: ${res.status} ${await res.text()}`)
    return res.json() as Promise<{ token: string; items: { id: string }[] }>
  }
  const { token } = await post('POST', '/api/collections/_superusers/auth-with-password', '', { identity: 'it@demo.hospay', password: 'Demo-hospay-2026' })
  const { items } = await post('GET', '/api/collections/review_settings/records', token, undefined)
  for (const s of items) await post('PATCH', `/api/collections/review_settings/records/${s.id}`, token, { auto: false })
}

export default (project: TestProject) => open(project, 24)

/** open starts a house with so many test people. */
export async function open(project: TestProject, patients: number): Promise<() => Promise<void>> {
  if (!existsSync(binary) || !existsSync(join(root, 'pb_public/dist/index.html'))) throw new Error('bin/hospay with its pages is missing: run make build')
  const dir = mkdtempSync(join(tmpdir(), 'hospay-browser-'))
  const base = await room()
  const address = `127.0.0.1:${base + 9}`
  const seeded = spawnSync(binary, ['demo', '--seed-only', '--dir', dir, '--http', address, '--sim-port', String(base)], { cwd: root, encoding: 'utf8' })
  if (seeded.status !== 0) throw new Error(seeded.stdout + seeded.stderr)
  const sims = start(['simulate', '--base-port', String(base), '--dir', join(dir, 'sim'), '--patients', String(patients)])
  await up(`http://127.0.0.1:${base}/_sim/config`, sims.child, sims.log)
  const portal = await fetch(
    `http://127.0.0.1:${base + 4}/_sim/settings`,
    { method: 'POST', body: JSON.stringify({ to: `http://${address}` }), headers: { 'Content-Type': 'application/json' } }
  )
  if (!portal.ok) throw new Error(`portal settings: ${portal.status}`)
  const app = start(['serve', '--http', address, '--dir', dir])
  await up(`http://${address}/api/health`, app.child, app.log)
  await people(`http://${address}`)
  project.provide('app', `http://${address}`)
  project.provide('sims', base)
  project.provide('dir', dir)
  return async () => {
    for (const c of [app.child, sims.child]) {
      const gone = new Promise((r) => c.once('exit', r))
      c.kill('SIGTERM')
      await gone
    }
    rmSync(dir, { recursive: true, force: true })
  }
}
