// What walks through the pages have in common: a browser, people, staff, and
// the controls of the simulators.
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page, type Request } from 'playwright-core'
import { expect, inject, onTestFailed } from 'vitest'
import { patience } from './patience'

export const app = inject('app')
export const sim = (n: number, path: string) => `http://127.0.0.1:${inject('sims') + n}${path}`
export const WECHAT = 0
export const ALIPAY = 1
export const HIS = 2
export const CENTRE = 3
export const PORTAL = 4
export const SMS = 5
export const PASSWORD = 'Demo-hospay-2026'

/** phone is a small phone in Beijing; a webview keeps nothing between people. Pictures are taken at two dots a pixel, walks at one: half the work. */
export const phone: BrowserContextOptions = {
  viewport: { width: 375, height: 812 }, deviceScaleFactor: Number(process.env.SCALE ?? 1), isMobile: true, hasTouch: true,
  locale: 'zh-CN', timezoneId: 'Asia/Shanghai',
}

export async function launch(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    env: { ...process.env, LANGUAGE: 'zh_CN' }, // dates and file buttons as people in China see them
    args: [
      '--lang=zh-CN', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--font-render-hinting=none',
    ],
  })
  browser.on('context', (context) => context.setDefaultTimeout(patience))
  return browser
}

export async function json<T>(url: string, init?: RequestInit & { json?: unknown; token?: string }): Promise<T> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' }
  if (init?.token) headers.Authorization = init.token
  const res = await fetch(
    url,
    {
      ...init, headers, body: init?.json === undefined ? init?.body : JSON.stringify(init.json),
      method: init?.method ?? (init?.json === undefined ? 'GET' : 'POST'),
    }
  )
  const text = await res.text()
  if (!res.ok) throw new Error(`${url}: ${res.status} ${text}`)
  return (text ? JSON.parse(text) : {}) as T
}

export interface Person { ticket: string; name: string; id_no: string; phone: string; alipay_account: string; cards: string[] }

export function person(code: string, via: 'wechat' | 'alipay'): Promise<Person> {
  return json(sim(PORTAL, `/_sim/ticket?patient=${code}&via=${via}`))
}

/** visit opens a page for one person, who comes from the portal with a ticket. Whatever the browser complains about fails the test. */
export async function visit(
  browser: Browser, code: string, via: 'wechat' | 'alipay', options: BrowserContextOptions = {}
): Promise<{ page: Page; who: Person; context: BrowserContext }> {
  const context = await browser.newContext({ ...phone, ...options })
  const page = await context.newPage()
  listen(page)
  const who = await person(code, via)
  await page.goto(`${app}/?ticket=${encodeURIComponent(who.ticket)}`)
  await page.getByRole('heading', { level: 1, name: '看病缴费和退款' }).waitFor()
  await dismissCare(page)
  return { page, who, context }
}

/** dismissCare answers the offer of care mode, if it is made. */
export async function dismissCare(page: Page): Promise<void> {
  await page.getByText('您好').waitFor()
  const no = page.getByRole('button', { name: '用标准版' })
  await page.waitForTimeout(150)
  if (await no.isVisible()) await no.click()
}

/**
 * reload loads the page anew. A reload was seen once that ended in nothing, without a navigation. A browser that has asked
 * for nothing is told a second time; a server that was asked and does not answer fails the walk.
 */
export async function reload(page: Page): Promise<void> {
  let asked = false
  const hear = (r: Request) => { asked ||= r.isNavigationRequest() && r.frame() === page.mainFrame() }
  page.on('request', hear)
  try {
    await page.reload({ timeout: 10_000 })
  } catch (e) {
    if (asked) throw e
    await page.reload()
  } finally {
    page.off('request', hear)
  }
}

const complaints = new WeakMap<Page, string[]>()

/** listen collects what the browser complains about: script errors and breaches of the content policy. */
export function listen(page: Page): void {
  const list: string[] = []
  complaints.set(page, list)
  page.on('pageerror', (e) => list.push(e.message))
  page.on('console', (m) => {
    if (m.type() === 'error' && !/Failed to load resource|net::ERR/.test(m.text())) list.push(m.text())
  })
  try {
    onTestFailed(() => tellPage(page, list))
  } catch {
    // opened before the first walk
  }
}

/** tellPage prints what was on a page when its walk failed. */
async function tellPage(page: Page, list: string[]): Promise<void> {
  if (page.isClosed()) return
  const shown = await page.locator('body').innerText({ timeout: 2_000 }).catch((e: Error) => e.message)
  const filled = await page.locator('input:visible').evaluateAll((all) => all.map((e) => (e as HTMLInputElement).value).join(' | ')).catch(() => '')
  console.log(`${page.url()}\n${shown.replace(/\n+/g, '\n').slice(0, 2_500)}\nfilled in: ${filled}\n${list.join('\n')}`)
}

export function quiet(page: Page): void {
  expect(complaints.get(page) ?? [], 'the browser complained').toEqual([])
}

/**
 * judged is what axe says of the page while nothing moves: a message that is caught
 * fading has no contrast, and is no fault. A sheet made by script passes the content policy.
 */
export async function judged(page: Page) {
  await page.evaluate(() => {
    const still = new CSSStyleSheet()
    still.replaceSync('*, *::before, *::after { transition: none !important; animation: none !important }')
    document.adoptedStyleSheets = [still]
  })
  await page.waitForTimeout(400) // whatever was under way is taken out of the page
  const { violations } = await new AxeBuilder({ page: page as never }).setLegacyMode().options({ resultTypes: ['violations'] }).analyze()
  await page.evaluate(() => { document.adoptedStyleSheets = [] })
  return violations
}

/** accessible runs axe on what is shown. */
export async function accessible(page: Page, where: string): Promise<void> {
  const violations = await judged(page)
  const found = violations.map(
    (v) => `${v.id} (${v.impact}): ${v.nodes.map((n) => `${n.target.join(' ')} ${n.failureSummary ?? ''}`).join('; ').slice(0, 600)}`
  )
  expect(found, `axe at ${where}`).toEqual([])
}

/** fits: nothing of the page stands out to the side. */
export async function fits(page: Page, where: string): Promise<void> {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  expect(over, `${where} scrolls sideways`).toBeLessThanOrEqual(0)
}

/** approveProxy opens every paper, as whoever approves must, and approves. */
export async function approveProxy(id: string, who = 'reviewer1'): Promise<void> {
  const token = await staff(who)
  const desk = `${app}/api/hospay/desk/proxies/${id}`
  await json(`${desk}/look`, { token, json: { reason: '审核代办申请' } })
  const { materials } = await json<{ materials: { id: string; file: string }[] }>(desk, { token })
  const key = await json<{ token: string }>(`${app}/api/files/token`, { token, json: {} })
  for (const m of materials) await fetch(`${app}/api/files/proxy_materials/${m.id}/${m.file}?token=${key.token}`).then((r) => r.arrayBuffer())
  await json(`${app}/api/hospay/proxies/${id}/review`, { token, json: { decision: 'approve', note: '' } })
}

export async function staff(name: string): Promise<string> {
  const { token } = await json<{ token: string }>(
    `${app}/api/collections/staff/auth-with-password`, { json: { identity: `${name}@demo.hospay`, password: PASSWORD } }
  )
  return token
}

export interface OrderRow { id: string; no: string; status: string; amount: number; method: string; channel: string; stage: string }

/** orders lists the orders of a card as a reviewer sees them, newest first. */
export async function orders(card: string): Promise<OrderRow[]> {
  const q = new URLSearchParams({ filter: `card_no = "${card}"`, sort: '-created' })
  return (await json<{ items: OrderRow[] }>(`${app}/api/collections/refund_orders/records?${q}`, { token: await staff('reviewer1') })).items
}

/** until waits for a fact. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  for (let i = 0; i < patience / 200; i++) {
    const v = await ask()
    if (v) return v
    await new Promise((r) => setTimeout(r, 200))
  }
  throw new Error(`timed out: ${what}`)
}

/** review decides on every order of a card that waits for people; large ones need a second reviewer. */
export async function review(card: string, decision: 'approve' | 'reject', note = ''): Promise<void> {
  const token = await staff('reviewer1')
  const waiting = await until(`an order of ${card} to review`, async () => {
    const all = await orders(card)
    const list = all.filter((o) => o.status === 'reviewing')
    return list.length > 0 && !all.some((o) => ['submitted', 'debiting'].includes(o.status)) && list
  })
  for (const o of waiting) await json(`${app}/api/collections/reviews/records`, { token, json: { order: o.id, decision, note } })
  const second = (await orders(card)).filter((o) => o.status === 'reviewing' && o.stage === 'second')
  if (second.length === 0) return
  const other = await staff('reviewer2')
  for (const o of second) await json(`${app}/api/collections/reviews/records`, { token: other, json: { order: o.id, decision, note } })
}

/** moved counts the money of a card's orders that left through a channel, in fen. */
export async function moved(n: number, nos: string[]): Promise<number> {
  const { entries } = await json<{ entries: { kind: string; no: string; amount: number; state: string }[] }>(sim(n, '/_sim/ledger'))
  return entries.filter((e) => ['transfer', 'refund'].includes(e.kind) && nos.some((no) => e.no.startsWith(no))).reduce((sum, e) => sum + e.amount, 0)
}
