// What walks through the console have in common.
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { app, json, judged, listen, PASSWORD, person, quiet, reload, staff } from '../walk'

export const desks = { wide: { width: 1440, height: 900 }, narrow: { width: 1024, height: 768 } }

/** sit logs a staff member in at a desk, of another house than the walks' when at names one. */
export async function sit(
  browser: Browser, name: string, size: keyof typeof desks = 'wide', at = app
): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext({ viewport: desks[size], locale: 'zh-CN', timezoneId: 'Asia/Shanghai', acceptDownloads: true })
  const page = await context.newPage()
  listen(page)
  await page.goto(`${at}/staff/`)
  await page.getByLabel('账号').fill(`${name}@demo.hospay`)
  await page.getByLabel('密码').fill(PASSWORD)
  await page.getByRole('button', { name: '登录' }).click()
  await page.getByRole('button', { name: '退出' }).waitFor()
  return { page, context }
}

export async function open(page: Page, route: string, heading: string): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/staff/#${route}`)
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
}

/** live waits, after a reload, until the page hears what changes and has read what changed before that. */
export async function live(page: Page, reading: RegExp): Promise<void> {
  const answered = (url: (u: string) => boolean) => page.waitForResponse((r) => url(r.url()))
  const heard = page.waitForResponse((r) => r.url().endsWith('/api/realtime') && !!r.request().postData()?.includes('proxy_applications'))
  await reload(page)
  await heard
  await Promise.all([answered((u) => u.includes('/queue/counts')), answered((u) => reading.test(u))])
}

/** inSight: at both widths of an ordinary PC, no column of the table is cut off or lies behind the one that stays. */
export async function inSight(page: Page, where: string): Promise<void> {
  const own = page.viewportSize()!
  for (const size of [{ width: 1366, height: 768 }, { width: 1093, height: 614 }]) {
    await page.setViewportSize(size)
    await expect.poll(() => page.evaluate(() => {
      const table = [...document.querySelectorAll('.el-table')].at(-1)!
      const heads = [...table.querySelectorAll('thead th')]
      const stays = heads.find((h) => /fixed-column--right/.test(h.className))
      const edge = (stays ?? table).getBoundingClientRect()[stays ? 'left' : 'right'] + 1
      return heads.filter((h) => h !== stays && h.getBoundingClientRect().right > edge).map((h) => h.textContent?.trim())
    }), { message: `${where} at ${size.width} px` }).toEqual([])
  }
  await page.setViewportSize(own)
}

/** serious: axe finds nothing serious or critical, or nothing at all, and at both widths nothing sticks out to the side. */
export async function serious(page: Page, where: string, atAll = false): Promise<void> {
  await expect.poll(() => page.locator('.el-button.is-loading, .el-skeleton').count()).toBe(0)
  const found = (await judged(page)).filter((v) => atAll || v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 200)).join(' | ')}`)
  expect(found, `axe at ${where}`).toEqual([])
  const own = page.viewportSize()!
  for (const size of [own, own.width === desks.wide.width ? desks.narrow : desks.wide]) {
    await page.setViewportSize(size)
    // Charts follow the window a moment later.
    await expect.poll(
      () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      { message: `${where} scrolls sideways at ${size.width} px` }
    ).toBeLessThanOrEqual(0)
  }
  await page.setViewportSize(own)
  quiet(page)
}

/** choose picks from a list once it stands still, and waits until the list is gone; one that is still being drawn may not hear the first click. */
export async function choose(page: Page, scope: Page | Locator, list: string, option: string): Promise<void> {
  await scope.locator('.el-select__wrapper').filter({ has: page.getByRole('combobox', { name: list }) }).click()
  const item = page.getByRole('option', { name: option, exact: true })
  await item.click()
  if (await item.waitFor({ state: 'hidden', timeout: 5000 }).then(() => true, () => false)) return
  await item.click()
  await item.waitFor({ state: 'hidden' })
}

/** swept takes the passing messages away, which would otherwise stand for seconds. */
export const swept = (page: Page) => page.evaluate(() => document.querySelectorAll('.el-message').forEach((e) => e.remove()))

/** apply makes an order for a test person through the API, as the pages do. */
export async function apply(code: string, via: 'wechat' | 'alipay', fen: number, method = 'transfer'): Promise<{ id: string; card: string }> {
  const who = await person(code, via)
  const { token } = await json<{ token: string }>(`${app}/api/hospay/auth/ticket`, { json: { ticket: who.ticket } })
  const { items } = await json<{ items: { version: string }[] }>(
    `${app}/api/collections/notices/records?${new URLSearchParams({ filter: 'active = true && kind = "refund"' })}`, { token }
  )
  const body: Record<string, unknown> = {
    card_no: who.cards[0], amount: fen, method, channel: via, payee_name: who.name, notify_phone: who.phone,
    notice_version: items[0]!.version,
  }
  if (via === 'alipay' && method === 'transfer') body.payee_account = who.alipay_account
  const { id } = await json<{ id: string }>(`${app}/api/collections/refund_orders/records`, { token, json: body })
  return { id, card: who.cards[0]! }
}

let token = ''
/** it is the token of IT, who works in the dashboard. */
export async function it(): Promise<string> {
  token ||= (
    await json<{ token: string }>(`${app}/api/collections/_superusers/auth-with-password`, { json: { identity: 'it@demo.hospay', password: PASSWORD } })
  ).token
  return token
}

/** set changes the first record of a configuration, as IT does in the dashboard. */
export async function set(collection: string, values: Record<string, unknown>): Promise<void> {
  const { items } = await json<{ items: { id: string }[] }>(`${app}/api/collections/${collection}/records?sort=created`, { token: await it() })
  await json(`${app}/api/collections/${collection}/records/${items[0]!.id}`, { token: await it(), method: 'PATCH', json: values })
  await new Promise((r) => setTimeout(r, 1200)) // settings are read again after a second
}

export async function state(id: string): Promise<string> {
  return (await json<{ status: string }>(`${app}/api/collections/refund_orders/records/${id}`, { token: await staff('reviewer1') })).status
}

export const code = (n: number) => `P${String(n).padStart(4, '0')}`

/** counted counts what the hand does: presses of the mouse and keys, but not those that only hold others. */
export async function counted(page: Page): Promise<() => Promise<{ clicks: number; keys: number }>> {
  await page.evaluate(() => {
    const hand = { clicks: 0, keys: 0 }
    Object.assign(window, { hand })
    addEventListener('pointerdown', (e) => { if (e.isTrusted) hand.clicks++ }, true)
    addEventListener('keydown', (e) => { if (e.isTrusted && !['Shift', 'Control', 'Alt', 'Meta'].includes(e.key)) hand.keys++ }, true)
  })
  return () => page.evaluate(() => {
    const { hand } = window as unknown as { hand: { clicks: number; keys: number } }
    const was = { ...hand }
    Object.assign(hand, { clicks: 0, keys: 0 })
    return was
  })
}
