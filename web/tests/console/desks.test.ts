// Second review, proxies, and the desks for what went wrong: two people each.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, orders, person, sim, staff, until, WECHAT } from '../walk'
import { apply, code, counted, open, serious, set, sit, state } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const reviewing = (id: string) => until(`${id} to review`, async () => (await state(id)) === 'reviewing')

test('TestConsole_SecondReviewByAnotherPerson', async () => {
  await set('review_settings', { second_from: 300_00 })
  const { id } = await apply(code(24), 'alipay', 500_00)
  await reviewing(id)
  const first = await sit(browser, 'reviewer1')
  await open(first.page, `/orders/${id}`, '退款详情')
  await first.page.getByText('通过后还需另一人复核').waitFor()
  await first.page.getByRole('button', { name: '通过（A）' }).click()
  await first.page.getByText('转给另一位审核员复核').waitFor()
  await first.page.getByRole('button', { name: '确认通过' }).click()
  await first.page.getByText('初审：通过').waitFor()
  expect(await state(id)).toBe('reviewing')
  await expect.poll(() => first.page.getByRole('button', { name: '通过（A）' }).isDisabled()).toBe(true) // not by the same person
  await serious(first.page, 'after the first review')
  const second = await sit(browser, 'reviewer2', 'narrow')
  await open(second.page, `/orders/${id}`, '退款详情')
  await second.page.locator('.reviewbar').getByText('复核').waitFor()
  await serious(second.page, 'second review')
  await second.page.getByRole('button', { name: '通过（A）' }).click()
  await second.page.getByRole('button', { name: '确认通过' }).click()
  await until('paid', async () => (await state(id)) === 'succeeded')
  await set('review_settings', { second_from: 0 })
  await first.context.close()
  await second.context.close()
})

test('TestConsole_ProxyReview_PhotosSideBySide_LooksOnRecord', async () => {
  const [agent, old] = [await person(code(25), 'wechat'), await person('P0003', 'wechat')]
  const { token } = await json<{ token: string }>(`${app}/api/hospay/auth/ticket`, { json: { ticket: agent.ticket } })
  const application = await json<{ id: string }>(
    `${app}/api/collections/proxy_applications/records`,
    { token, json: { principal_name: old.name, principal_id_no: old.id_no, card_no: old.cards[0], case: 'elderly', relation: 'child', consent_version: '1' } }
  )
  const helper = await browser.newPage()
  await helper.setContent('<h1 style="font-size:80px">样张</h1>')
  const picture = await helper.screenshot({ type: 'jpeg' })
  await helper.close()
  for (const kind of ['agent_id_front', 'agent_id_back', 'principal_id_front', 'principal_id_back', 'power_of_attorney']) {
    const form = new FormData()
    form.set('application', application.id)
    form.set('kind', kind)
    form.set('file', new Blob([new Uint8Array(picture)], { type: 'image/jpeg' }), 'a.jpg')
    const res = await fetch(`${app}/api/collections/proxy_materials/records`, { method: 'POST', headers: { Authorization: token }, body: form })
    expect(res.status, await res.clone().text()).toBe(200)
  }
  await json(`${app}/api/hospay/proxies/${application.id}/submit`, { token, method: 'POST' })

  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/proxies', '代办审核')
  await page.getByRole('link', { name: '审核', exact: true }).first().waitFor()
  await serious(page, 'proxies')
  const spent = await counted(page)
  await page.getByRole('link', { name: '审核', exact: true }).first().click()
  await page.getByRole('heading', { level: 1, name: '代办详情' }).waitFor()
  await page.getByText('姓名一致').waitFor()
  // Masked until somebody says why; then what has to be compared stands beside the photos.
  expect(await page.locator('main').innerText()).not.toContain(agent.id_no)
  expect(await page.locator('.pane').count()).toBe(0)
  await serious(page, 'why one looks')
  const yes = page.getByRole('button', { name: '通过', exact: true })
  expect(await yes.isDisabled()).toBe(true)
  await page.getByRole('button', { name: '审核代办申请' }).click()
  await page.locator('.compare').getByText(agent.id_no).waitFor()
  await page.locator('.pane canvas').nth(1).waitFor()
  // The photo is drawn, and over it the name of who looks at it.
  await expect.poll(() => page.locator('.pane canvas').first().evaluate((c: HTMLCanvasElement) => {
    const d = c.getContext('2d')!.getImageData(0, 0, c.width, c.height).data
    let light = 0
    for (let i = 0; i < d.length; i += 4) if (d[i]! > 200) light++
    return light
  })).toBeGreaterThan(10_000)
  expect(await page.locator('.viewer h3').allInnerTexts()).toEqual(
    ['代办人身份证人像面', '被代办人证件人像面（或户口簿本人页）', '代办人身份证国徽面', '被代办人证件另一面', '授权委托书']
  )
  await page.locator('.pane canvas').first().focus()
  for (const key of ['t', '+', 'ArrowLeft']) await page.keyboard.press(key)
  await serious(page, 'proxy with photos')
  expect(await yes.isDisabled()).toBe(true)
  for (const box of await page.locator('.reviewbar input[type=checkbox]').all()) await box.check()
  // Papers are open once they come into sight; the others are named until then.
  const papers = page.getByRole('list', { name: '看过的材料' })
  expect(await papers.getByText('未看').count()).toBeGreaterThan(0)
  await page.getByRole('status').getByText('全部看过才能通过').waitFor()
  expect(await yes.isDisabled()).toBe(true)
  await page.mouse.move(10, 400)
  for (let i = 0; i < 120 && await papers.getByText('未看').count(); i++) {
    await page.mouse.wheel(0, i % 60 < 30 ? 200 : -200) // down and up: what went by too fast is come back to
    await page.waitForTimeout(100)
  }
  await expect.poll(() => papers.getByText('未看').count()).toBe(0)
  await serious(page, 'proxy with all papers seen')
  await yes.click()
  await page.getByRole('heading', { level: 1, name: /审核通过/ }).waitFor()
  expect((await spent()).clicks).toBe(7) // a reason, four points, the list and 通过
  for (const act of ['查看双方信息和照片', '查看照片', '通过']) await page.locator('.events li', { hasText: act }).first().getByText('审核员一').waitFor()
  await context.close()
  const { items } = await json<{ items: { action: string }[] }>(`${app}/api/hospay/audit?action=proxy.photo`, { token: await staff('auditor') })
  expect(items.length).toBeGreaterThanOrEqual(4) // one a paper
})

test('TestConsole_LooksBeyondTheDay_AnotherPersonReleases', async () => {
  const { used } = await json<{ used: number }>(`${app}/api/hospay/reveals`, { token: await staff('reviewer2') })
  await set('institutions', { reveals_a_day: used + 1 }) // other walks have looked today
  const { id } = await apply(code(34), 'alipay', 3600)
  const { page, context } = await sit(browser, 'reviewer2')
  await open(page, `/orders/${id}`, '退款详情')
  const field = (label: string) => page.locator('dt', { hasText: label }).locator('+ dd')
  const look = page.getByRole('dialog', { name: '查看脱敏信息' })
  await field('通知手机').getByRole('button', { name: '查看' }).click()
  await look.getByLabel('联系收款人').check()
  await look.getByRole('button', { name: '查看', exact: true }).click()
  await look.waitFor({ state: 'hidden' })
  await field('收款账户').getByRole('button', { name: '查看' }).click()
  await look.getByText('请申请放行').waitFor()
  await serious(page, 'beyond the day')
  await look.getByRole('link', { name: '去申请放行' }).click()
  await page.getByRole('heading', { level: 1, name: '查看放行' }).waitFor()
  await page.getByLabel('申请原因').fill('集中清退，今天申请多')
  await page.getByRole('button', { name: '申请放行' }).click()
  await page.getByRole('button', { name: '撤回' }).waitFor()
  await serious(page, 'asked for more')
  const other = await sit(browser, 'config', 'narrow')
  await open(other.page, '/reveals', '查看放行')
  await serious(other.page, 'somebody asks for more')
  await other.page.getByRole('button', { name: '放行审核员二', exact: true }).click()
  await other.page.getByText('没有等待放行的申请').waitFor()
  await other.context.close()
  const who = await person(code(34), 'alipay')
  await open(page, `/orders/${id}`, '退款详情')
  await field('收款账户').getByRole('button', { name: '查看' }).click()
  await look.getByLabel('联系收款人').check()
  await look.getByRole('button', { name: '查看', exact: true }).click()
  await field('收款账户').getByText(who.alipay_account).waitFor()
  await context.close()
  await set('institutions', { reveals_a_day: 0 })
})

test('TestConsole_UnknownDesk_QueryNow', async () => {
  await json(
    sim(WECHAT, '/_sim/faults'),
    { json: { plan: [{ match: 'transfer', nth: 1, fault: 'timeout_after', times: 1 }, { match: 'query', nth: 1, fault: '500_before', times: 500 }] } }
  )
  const { id, card } = await apply(code(26), 'wechat', 30_00)
  await reviewing(id)
  await json(`${app}/api/collections/reviews/records`, { token: await staff('reviewer2'), json: { order: id, decision: 'approve', note: '' } })
  const { page, context } = await sit(browser, 'finance')
  await until(
    'the outcome is open',
    async () => (await json<{ rows: { id: string }[] }>(`${app}/api/hospay/desk/unknown`, { token: await staff('finance') })).rows.some((r) => r.id === id)
  )
  await open(page, '/unknown', '结果待查')
  const row = page.getByRole('row').filter({ hasText: card })
  await row.getByText('渠道是否已付款').waitFor()
  await serious(page, 'unknown desk')
  await json(sim(WECHAT, '/_sim/faults'), { method: 'DELETE' })
  await row.getByRole('button', { name: '立即查询' }).click()
  await until('known', async () => (await state(id)) === 'awaiting_payee')
  await page.getByText('没有结果不明的订单').waitFor()
  await context.close()
})

test('TestConsole_SuspenseDesk_ProposedByOneConfirmedByAnother', async () => {
  await set('his_configs', { reversible: false })
  const { id, card } = await apply(code(27), 'wechat', 30_00)
  await reviewing(id)
  await json(`${app}/api/collections/reviews/records`, { token: await staff('reviewer2'), json: { order: id, decision: 'approve', note: '' } })
  const waiting = await until('awaiting', async () => (await orders(card)).find((o) => o.status === 'awaiting_payee'))
  await json(sim(WECHAT, `/_sim/expire/${waiting.no}T01`), { method: 'POST' })
  await until('suspended', async () => (await state(id)) === 'suspense')
  const a = await sit(browser, 'finance')
  await open(a.page, '/suspense', '挂账处理')
  await a.page.getByText(/医院账上/).first().waitFor()
  await serious(a.page, 'suspense desk')
  await a.page.getByRole('button', { name: '重新付款' }).click()
  await a.page.getByLabel('理由').fill('患者电话确认仍要收款')
  await serious(a.page, 'proposal')
  await a.page.getByRole('button', { name: '提出', exact: true }).click()
  await a.page.getByText('需要另一位同事确认').waitFor()
  expect(await a.page.getByRole('button', { name: '确认执行' }).count()).toBe(0)
  const b = await sit(browser, 'reviewer2', 'narrow')
  await open(b.page, '/suspense', '挂账处理')
  await b.page.getByRole('button', { name: '确认执行' }).click()
  await b.page.getByRole('dialog').getByText('患者电话确认仍要收款').waitFor()
  await serious(b.page, 'confirmation')
  await b.page.getByRole('dialog').getByRole('button', { name: '确认执行' }).click()
  await until('paid again', async () => (await state(id)) === 'awaiting_payee')
  await json(sim(WECHAT, `/_sim/confirm/${waiting.no}T02`), { method: 'POST' })
  await until('arrived', async () => (await state(id)) === 'succeeded')
  await set('his_configs', { reversible: true })
  await a.context.close()
  await b.context.close()
})

test('TestConsole_FreezeIsThawedByAnotherPerson', async () => {
  const a = await sit(browser, 'finance')
  await open(a.page, '/suspense', '挂账处理')
  await a.page.getByRole('button', { name: '冻结全部出款' }).click()
  await a.page.getByLabel('原因').fill('对账发现疑点')
  await a.page.getByRole('dialog').getByRole('button', { name: '冻结', exact: true }).click()
  await a.page.getByText('出款已冻结').first().waitFor()
  await a.page.getByRole('button', { name: '解除冻结' }).first().click()
  await a.page.getByLabel('原因').fill('没有问题')
  await a.page.getByRole('dialog').getByRole('button', { name: '解除冻结' }).click()
  await a.page.getByRole('alert').waitFor() // not by the same person
  await serious(a.page, 'frozen')
  const b = await sit(browser, 'reviewer1', 'narrow') // everybody is told, wherever they work
  await b.page.getByRole('status').getByText('出款已冻结').waitFor()
  await b.context.close()
  await json(`${app}/api/hospay/payouts/freeze`, { token: await staff('config'), json: { frozen: false, note: '已核实' } })
  await a.context.close()
})
