// Notices reach people and open the page that they are about: in the portal,
// and by the link of a short message on the phone.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessible, app, fits, json, launch, orders, person, quiet, review, SMS, sim, until, visit } from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(() => browser?.close())

interface Rejected { code: string; card: string; id: string; reason: string }

/** rejected makes an order of a person and has it rejected. */
async function rejected(code: string, reason: string): Promise<Rejected> {
  const who = await person(code, 'wechat')
  const { token } = await json<{ token: string }>(`${app}/api/hospay/auth/ticket`, { json: { ticket: who.ticket } })
  const card = who.cards[0]!
  const { id } = await json<{ id: string }>(`${app}/api/collections/refund_orders/records`, {
    token, json: { card_no: card, amount: 1200, method: 'transfer', channel: 'wechat', payee_name: who.name, notify_phone: who.phone, notice_version: '1' },
  })
  await review(card, 'reject', reason)
  await until('the order is rejected', async () => (await orders(card)).find((o) => o.id === id)?.status === 'rejected')
  return { code, card, id, reason }
}

describe('messages', () => {
  test('TestMessages_ATapOpensThePageOfTheMessage', async () => {
    const o = await rejected('P0005', '证件照片不清晰，请重新拍摄')
    const { page, context } = await visit(browser, o.code, 'wechat')
    await page.getByRole('link', { name: /消息.*1 条未读/ }).waitFor()
    await accessible(page, 'home with messages')
    await fits(page, 'home with messages')
    await page.getByRole('link', { name: /消息/ }).click()
    await page.getByRole('heading', { level: 1, name: '消息' }).waitFor()
    const message = page.getByRole('link', { name: /退款审核驳回通知/ })
    expect(await message.innerText()).toContain(o.reason)
    await accessible(page, 'messages')
    await fits(page, 'messages')
    await message.click()
    await page.getByRole('heading', { level: 1, name: '退款详情' }).waitFor()
    expect(page.url()).toContain(`#/records/${o.id}`)
    await page.getByText(o.reason).first().waitFor()
    await page.getByRole('button', { name: '返回' }).click()
    await page.getByText('没有未读消息').waitFor()
    await page.goto(`${app}/`)
    await page.getByText('您好').waitFor()
    expect(await page.getByText('条未读').count()).toBe(0)
    quiet(page)
    await context.close()
  })

  test('TestMessages_ThePhoneGetsAShortMessageWhoseLinkOpensIt', async () => {
    const o = await rejected('P0005', '请先结清未缴费用')
    const { page, context } = await visit(browser, o.code, 'wechat')
    await until('the phone has it', async () => (
      (await json<{ messages: { text: string }[] }>(sim(SMS, `/_sim/messages?patient=${o.code}`))).messages.some((m) => m.text.includes(o.reason))
    ))
    await page.goto(sim(SMS, `/phone/${o.code}`))
    await page.getByText(`【演示医院】`).first().waitFor()
    await page.getByRole('link', { name: /\/m\// }).first().click()
    await page.getByRole('heading', { level: 1, name: '退款详情' }).waitFor()
    await page.getByText(o.reason).first().waitFor()

    // Who is not known yet confirms who they are first; nothing is shown before.
    const stranger = await browser.newContext()
    const other = await stranger.newPage()
    await other.goto(sim(SMS, `/phone/${o.code}`))
    await other.getByRole('link', { name: /\/m\// }).first().click()
    await other.getByRole('heading', { level: 1, name: '进入预交金退款' }).waitFor()
    expect(await other.getByText(o.reason).count()).toBe(0)
    quiet(page)
    await stranger.close()
    await context.close()
  })
})
