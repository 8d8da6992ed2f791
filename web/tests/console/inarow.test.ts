// A morning of reviews: one after the other from the keyboard, while people keep applying.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, quiet, staff, until } from '../walk'
import { apply, code, open, sit } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const MANY = process.env.WALKS === 'all' ? 200 : 20
const SOME = MANY * 0.7 // wait at the beginning; the others come meanwhile, one every two seconds
const pause = (ms: number) => new Promise((r) => setTimeout(r, ms))

test('TestConsole_ManyInARow_WhilePeopleApply', async () => {
  const token = await staff('reviewer1')
  const first = MANY === 200 ? 40 : 100
  let next = first
  const more = () => apply(code(next++), 'alipay', 6000 + next)
  while (next < first + SOME) await Promise.all([more(), more()])
  const waiting = async () => (
    await json<Record<string, { count: number }>>(`${app}/api/hospay/queue/counts`, { token: await staff('reviewer2') })
  ).reviewing?.count ?? 0
  await until('all to review', async () => (await waiting()) >= SOME)
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/queue', '退款订单')
  await page.getByRole('row').nth(1).getByRole('link', { name: '审核', exact: true }).click()

  let coming = true
  const failures: unknown[] = []
  const people = (async () => {
    while (coming && next < first + MANY) {
      await pause(2000)
      await more().catch((e: unknown) => failures.push(e))
    }
  })()
  const decided = new Map<string, string>()
  const order = () => page.url().split('/').at(-1)!
  const focused = (text: string) => expect.poll(() => page.evaluate(() => document.activeElement?.textContent?.trim())).toBe(text)
  for (let i = 1; i <= MANY; i++) {
    await page.getByText('自动审核规则').waitFor()
    await page.getByRole('button', { name: '通过（A）', disabled: false }).waitFor()
    const id = order()
    expect(decided.has(id), `order ${i} is open a second time`).toBe(false)
    if (i % 10 === 0) {
      await page.keyboard.press('r', { delay: 60 })
      await page.getByRole('dialog', { name: '驳回' }).waitFor()
      await pause(300)
      await page.keyboard.press('1', { delay: 60 })
      await focused('确认驳回')
      decided.set(id, 'reject')
    } else {
      await page.keyboard.press('a', { delay: 60 })
      await focused('确认通过')
      decided.set(id, 'approve')
    }
    await pause(150)
    await page.keyboard.press('Enter', { delay: 60 })
    if (i === MANY) break
    await expect.poll(order, { message: `after order ${i} the next opens` }).not.toBe(id)
  }
  coming = false
  await people
  expect(failures).toEqual([])
  // Every decision stands where it was meant to, by the one who made it, and once.
  const me = (await json<{ record: { id: string } }>(`${app}/api/collections/staff/auth-refresh`, { token, method: 'POST' })).record.id
  await until('the last decision', async () => {
    const q = new URLSearchParams({ filter: `order = "${[...decided.keys()].at(-1)}" && reviewer = "${me}"` })
    return (await json<{ totalItems: number }>(`${app}/api/collections/reviews/records?${q}`, { token })).totalItems === 1
  })
  for (const [id, decision] of decided) {
    const q = new URLSearchParams({ filter: `order = "${id}" && reviewer = "${me}"` })
    const { items } = await json<{ items: { decision: string }[] }>(`${app}/api/collections/reviews/records?${q}`, { token })
    expect(items.map((r) => r.decision), id).toEqual([decision])
  }
  quiet(page)
  await context.close()
}, 900_000)
