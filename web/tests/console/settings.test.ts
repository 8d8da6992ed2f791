// Each kind of configuration is changed on its page and taken by the server.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, listen, PASSWORD, staff } from '../walk'
import { it, open, serious, sit, swept } from './desk'

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
  await swept(page)
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

test('TestConsole_ShortMessagesAreSetUpAnew_ByTwoPeople', async () => {
  const config = async () => json<{
    sms: { id: string; active: boolean; settings: unknown; secrets_held: string[] } | null,
  }>(`${app}/api/hospay/config`, { token: await staff('config') })
  expect((await config()).sms).toBeNull()
  const a = await sit(browser, 'config')
  await open(a.page, '/config?tab=sms', '系统配置')
  await a.page.getByRole('heading', { name: '短信网关 （未配置）' }).waitFor()
  await serious(a.page, 'short messages, not set up')
  const body = 'account={secret.user}&mobile={phone}&content=【本院】{text}&sign={sign.md5}'
  await a.page.getByRole('switch', { name: '启用' }).locator('..').click()
  await a.page.getByLabel('网关地址').fill('http://127.0.0.1:9/send')
  await a.page.getByLabel('网关设置').fill(JSON.stringify({ body, sign: '{secret.user}{secret.password}' }))
  await a.page.getByLabel('密钥').fill('user')
  await a.page.getByRole('button', { name: '提交修改（4 项）' }).click()
  await a.page.getByText('密钥：每行写成 名字=值').waitFor()
  await a.page.getByLabel('密钥').fill('user=hospital')
  await a.page.getByRole('button', { name: '提交修改（4 项）' }).click()
  await a.page.getByLabel('为什么修改').fill('接通短信')
  const why = a.page.getByRole('dialog', { name: '修改：短信' })
  await why.getByRole('button', { name: '提交' }).click()
  await why.getByText('{secret.password}').waitFor() // used, but not given
  await serious(a.page, 'refused gateway')
  await why.getByRole('button', { name: '取消' }).click()
  await a.page.getByLabel('密钥').fill('user=hospital\npassword=open=sesame')
  await a.page.getByRole('button', { name: '提交修改（4 项）' }).click()
  await submit(a.page, '已提交')
  expect((await config()).sms).toBeNull() // not by one person

  const b = await sit(browser, 'finance', 'narrow')
  await open(b.page, '/config?tab=changes', '系统配置')
  const item = b.page.locator('.events > li', { hasText: '短信 第 1 版' }).first()
  expect(await item.innerText()).not.toContain('sesame')
  await item.getByRole('button', { name: '退回' }).click()
  const back = b.page.getByRole('dialog', { name: '退回变更：短信' })
  expect(await back.getByRole('button', { name: '退回' }).isDisabled()).toBe(true)
  await back.getByLabel('退回原因').fill('地址不对')
  await serious(b.page, 'sending a change back')
  await back.getByRole('button', { name: '退回' }).click()
  await item.getByText('答复：地址不对').waitFor()

  await a.page.reload()
  await a.page.getByLabel('网关地址').fill('http://127.0.0.1:9/sms')
  await a.page.getByLabel('网关设置').fill(JSON.stringify({ body, sign: '{secret.user}{secret.password}' }))
  await a.page.getByLabel('密钥').fill('user=hospital\npassword=open=sesame')
  await a.page.getByRole('button', { name: '提交修改（3 项）' }).click()
  await submit(a.page, '已提交')
  await b.page.reload()
  await b.page.getByRole('button', { name: '确认生效' }).click()
  await b.page.getByText('已生效').first().waitFor()
  expect((await config()).sms).toMatchObject({ active: false, settings: { body }, secrets_held: ['password', 'user'] })
  await a.page.reload()
  await a.page.getByRole('heading', { name: '短信网关 停用' }).waitFor()
  expect(await a.page.getByLabel('密钥').getAttribute('placeholder')).toBe('已设置：password、user；留空不变')
  expect(await a.page.content()).not.toContain('sesame')
  await serious(a.page, 'short messages')
  await a.page.getByLabel('密钥').fill('password=')
  await a.page.getByRole('button', { name: '提交修改（1 项）' }).click()
  await a.page.getByLabel('为什么修改').fill('删去密钥')
  await why.getByRole('button', { name: '提交' }).click()
  await why.getByText('{secret.password}').waitFor() // still used
  const { sms } = await config()
  await json(`${app}/api/collections/sms_configs/records/${sms!.id}`, { token: await it(), method: 'DELETE' })
  await a.context.close()
  await b.context.close()
})

test('TestConsole_LockedAccountIsUnlockedWithAReason', async () => {
  const enter = (password: string) => fetch(
    `${app}/api/collections/staff/auth-with-password`,
    { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ identity: 'cashier@demo.hospay', password }) }
  )
  for (let i = 0; i < 5; i++) await enter('wrong')
  expect((await enter(PASSWORD)).ok).toBe(false)
  const { page, context } = await sit(browser, 'config')
  await open(page, '/config?tab=staff', '系统配置')
  const row = page.getByRole('row').filter({ hasText: 'cashier@demo.hospay' })
  await row.getByText('已锁定').waitFor()
  await row.getByRole('button', { name: /^解锁/ }).click()
  const dialog = page.getByRole('dialog', { name: /^解锁：/ })
  expect(await dialog.getByRole('button', { name: '解锁' }).isDisabled()).toBe(true)
  await dialog.getByLabel('原因').fill('本人来电，忘记密码')
  await serious(page, 'unlocking')
  await dialog.getByRole('button', { name: '解锁' }).click()
  await row.getByText('启用').waitFor()
  expect((await enter(PASSWORD)).ok).toBe(true)
  await row.getByRole('button', { name: /^重置验证器/ }).click()
  await page.getByText('本人下次登录时重新绑定').waitFor()
  await context.close()
})
