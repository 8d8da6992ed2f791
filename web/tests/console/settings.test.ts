// Each kind of configuration is changed on its page and taken by the server.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, listen, staff } from '../walk'
import { open, serious, sit } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

interface Change { target: { collection: string }; state: string; after: Record<string, unknown> }

/** last is the newest change of a collection, as the server keeps it. */
async function last(collection: string): Promise<Change> {
  const { items } = await json<{ items: Change[] }>(`${app}/api/hospay/config/changes`, { token: await staff('config') })
  return items.find((c) => c.target.collection === collection)!
}

/** submit gives the reason and waits until the server has answered. */
async function submit(page: Page, answer: '已生效' | '已提交'): Promise<void> {
  await page.getByLabel('为什么修改').fill('测试修改')
  await page.getByRole('dialog', { name: /^修改：/ }).getByRole('button', { name: '提交' }).click()
  await page.getByText(new RegExp(`^${answer}`)).first().waitFor()
  await page.locator('.el-message').first().waitFor({ state: 'hidden' })
}

test('TestConsole_EachKindOfChangeIsTakenByTheServer', async () => {
  const { page, context } = await sit(browser, 'config', 'narrow')
  await open(page, '/config?tab=house', '系统配置')
  await page.getByLabel('每人每天申请笔数').fill('不是数')
  await page.getByRole('button', { name: '提交修改（1 项）' }).click()
  await page.getByText('每人每天申请笔数：请填写整数').waitFor()
  await page.getByLabel('每人每天申请笔数').fill('50')
  await page.getByRole('button', { name: '提交修改（1 项）' }).click()
  await submit(page, '已生效')
  expect(await last('institutions')).toMatchObject({ state: 'applied', after: { day_limit: 50 } })

  await open(page, '/config?tab=channels', '系统配置')
  const alipay = page.locator('section.card', { hasText: '支付宝' })
  expect(await alipay.getByRole('switch', { name: '显示商家简称' }).isVisible()).toBe(false)
  await alipay.getByRole('button', { name: '不常用的设置' }).click()
  await alipay.getByRole('switch', { name: '显示商家简称' }).locator('..').click()
  await alipay.getByLabel('转账备注').fill('预交金退回')
  await alipay.getByLabel('单日额度（元）').fill('123456.7')
  await alipay.getByLabel('原路退', { exact: true }).uncheck()
  await alipay.getByRole('button', { name: '提交修改（4 项）' }).click()
  await submit(page, '已提交')
  const channel = await last('channel_configs')
  expect(channel.state).toBe('waiting')
  expect(channel.after.settings).toMatchObject({ transfer_remark: '预交金退回', show_alias: 'true', day_limit: '12345670', methods: 'transfer' })

  await open(page, '/config?tab=his', '系统配置')
  await page.getByLabel('字段对照').fill('{')
  await page.getByRole('button', { name: '提交修改（1 项）' }).click()
  await page.getByText('字段对照：不是正确的 JSON').waitFor()
  await page.reload()
  await page.getByLabel('超时（毫秒）').fill('9000')
  await page.getByRole('button', { name: '提交修改（1 项）' }).click()
  await submit(page, '已提交')
  expect(await last('his_configs')).toMatchObject({ state: 'waiting', after: { timeout_ms: 9000 } })

  await open(page, '/config?tab=texts', '系统配置')
  await page.getByRole('button', { name: '修改退款到账' }).click()
  const dialog = page.getByRole('dialog', { name: /^通知文案/ })
  await dialog.getByRole('textbox', { name: '内容' }).fill('您的 {amount} 已到账，单号 {no}。')
  await dialog.getByRole('button', { name: '预览' }).click()
  await dialog.getByText('您的 ¥12.34 已到账').waitFor()
  await dialog.getByRole('button', { name: '保存' }).click()
  await submit(page, '已生效')
  expect((await last('notification_texts')).state).toBe('applied')

  await open(page, '/config?tab=review', '系统配置')
  await page.getByRole('textbox', { name: '金额上限，元' }).fill('一百')
  await page.getByRole('textbox', { name: '金额上限，元' }).blur()
  expect(await page.getByRole('textbox', { name: '金额上限，元' }).inputValue()).toMatch(/^\d+\.\d\d$/) // no amount: put back
  await page.getByRole('textbox', { name: '金额上限，元' }).fill('321.5')
  await page.getByRole('textbox', { name: '金额上限，元' }).blur()
  await page.getByRole('button', { name: /^移除规则/ }).last().click()
  await page.getByRole('button', { name: '提交规则' }).click()
  await submit(page, '已提交')
  const rules = (await last('review_settings')).after.rules as { rule: string; limit?: number }[]
  expect(rules.find((r) => r.rule === 'max_amount')?.limit).toBe(321_50)
  await page.getByRole('button', { name: /^移除规则/ }).last().click()
  await page.getByRole('combobox', { name: '加入规则' }).click({ force: true })
  await page.locator('.el-select-dropdown__item:visible').first().click()
  await serious(page, 'rules')
  await open(page, '/config?tab=changes', '系统配置')
  const back = page.getByRole('button', { name: '撤回' })
  for (let n = 3; n > 0; n--) {
    await expect.poll(() => back.count()).toBe(n)
    await back.first().click()
  }
  await expect.poll(() => back.count()).toBe(0)
  expect((await last('channel_configs')).state).toBe('withdrawn')
  await context.close()
})

test('TestConsole_NewStaffIsAPersonConfirmedByAnother', async () => {
  const a = await sit(browser, 'config')
  await open(a.page, '/config?tab=staff', '系统配置')
  await a.page.getByRole('button', { name: '新建' }).click()
  const dialog = a.page.getByRole('dialog', { name: '新建人员', exact: true })
  await dialog.getByLabel('姓名').fill('测试员')
  await dialog.getByLabel('账号').fill('tester@demo.hospay')
  await dialog.getByRole('combobox', { name: '角色' }).click({ force: true })
  await a.page.getByRole('option', { name: '审计' }).click()
  await a.page.keyboard.press('Escape')
  await dialog.getByLabel('身份证号').fill('110101199003070000')
  await serious(a.page, 'new staff')
  await dialog.getByRole('button', { name: '提交' }).click()
  await a.page.getByLabel('为什么修改').fill('新同事')
  await a.page.getByRole('dialog', { name: /^修改：/ }).getByRole('button', { name: '提交' }).click()
  const why = a.page.getByRole('dialog', { name: /^修改：/ })
  await why.getByText('身份证号不正确').waitFor()
  await serious(a.page, 'refused proposal')
  await why.getByRole('button', { name: '取消' }).click()
  await dialog.getByLabel('身份证号').fill('110101199003071233')
  await dialog.getByRole('button', { name: '提交' }).click()
  await submit(a.page, '已提交')
  const b = await sit(browser, 'finance', 'narrow')
  await open(b.page, '/config?tab=changes', '系统配置')
  const item = b.page.locator('.events li', { hasText: 'tester@demo.hospay' })
  expect(await item.innerText()).not.toContain('110101199003071233')
  await item.getByRole('button', { name: '确认生效' }).click()
  const told = b.page.getByText(/^初始密码：\S{10,}/)
  await told.waitFor()
  const first = /^初始密码：(\S+)/.exec(await told.innerText())![1]!
  await serious(b.page, 'first password')
  await b.page.getByRole('button', { name: '知道了' }).click()
  await a.page.reload()
  await a.page.getByRole('row', { name: /测试员/ }).waitFor()
  expect(await a.page.getByRole('row', { name: /测试员/ }).innerText()).not.toContain('未登记')
  // What others have seen is changed before anything else.
  const context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1024, height: 768 } })
  const page = await context.newPage()
  listen(page)
  const enter = async (password: string) => {
    await page.goto(`${app}/staff/#/login`)
    await page.getByLabel('账号').fill('tester@demo.hospay')
    await page.getByLabel('密码').fill(password)
    await page.getByRole('button', { name: '登录' }).click()
  }
  await enter(first)
  await page.getByLabel('新密码', { exact: true }).fill('123')
  await serious(page, 'change of the first password')
  await page.reload()
  await page.getByLabel('账号').waitFor() // the page forgets, the server does not
  await enter(first)
  await page.getByLabel('新密码', { exact: true }).fill('Eine-neue-2026')
  await page.getByLabel('再输入一次新密码').fill('Eine-neue-2026')
  await page.getByRole('button', { name: '保存并进入' }).click()
  await page.getByRole('link', { name: '审计日志' }).waitFor()
  await page.getByRole('button', { name: '退出' }).click()
  await enter('Eine-neue-2026')
  await page.getByRole('link', { name: '审计日志' }).waitFor()
  await context.close()
  await a.context.close()
  await b.context.close()
})
