// What keeps money safe when things change under it: another merchant, a
// refusal for good, a data folder restored from a backup.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { room, start, up } from '../house'
import { accessible, ALIPAY, app, json, launch, moved, orders, quiet, reload, review, sim, staff, until, visit, WECHAT } from '../walk'
import { unzip } from '../xlsx'
import { apply, code, it, open, serious, sit, state, swept } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

interface Configuration { channels: { id: string; channel: string; secrets: { name: string; label: string }[] }[] }
const faults = (n: number, plan: Record<string, unknown>[]) => json(sim(n, '/_sim/faults'), { json: { plan } })
const calm = (n: number) => json(sim(n, '/_sim/faults'), { method: 'DELETE' })

/** keysOf are what WeChat hands to a merchant, by our names. */
async function keysOf(merchant: string): Promise<Record<string, string>> {
  const c = await json<Record<string, string>>(sim(WECHAT, `/_sim/config?merchant=${merchant}`))
  return {
    private_key: c.mch_private_key!, serial_no: c.mch_cert_serial!, api_v3_key: c.api_v3_key!, public_key: c.public_key!,
    public_key_id: c.public_key_id!, platform_certs: c.platform_cert!,
  }
}

/** clean: axe finds nothing at all, and at both widths nothing sticks out to the side. */
async function clean(page: Page, where: string): Promise<void> {
  await serious(page, where)
  await accessible(page, where)
}

async function transfer(card: string, id: string, status: string): Promise<string> {
  return (await until(status, async () => (await orders(card)).find((o) => o.id === id && o.status === status))).no
}

test('TestConsole_ChangedMerchant_TellsWhatHangsOnTheOldOne', async () => {
  const { id, card } = await apply(code(231), 'wechat', 20_00)
  await review(card, 'approve')
  const no = await transfer(card, id, 'awaiting_payee')
  const { channels } = await json<Configuration>(`${app}/api/hospay/config`, { token: await staff('config') })
  const wechat = channels.find((c) => c.channel === 'wechat')!
  const a = await sit(browser, 'config')
  await open(a.page, '/config?tab=channels', '系统配置')
  const card1 = a.page.locator('section.card', { hasText: '微信支付' }).first()
  await card1.getByText(/\d+ 笔未结束的退款走当前连接/).waitFor()
  await clean(a.page, 'what is under way')
  await card1.getByLabel('商户号', { exact: true }).fill('1900000208')
  const keys = await keysOf('1900000208')
  for (const s of wechat.secrets.filter((x) => keys[x.name])) await card1.getByLabel(s.label, { exact: true }).fill(keys[s.name]!)
  await card1.getByRole('button', { name: /^提交修改/ }).click()
  await a.page.getByLabel('为什么修改').fill('换签约商户')
  await a.page.getByRole('dialog', { name: /^修改：/ }).getByRole('button', { name: '提交' }).click()
  await a.page.getByText(/^已提交/).first().waitFor()
  const b = await sit(browser, 'finance')
  await open(b.page, '/config?tab=changes', '系统配置')
  await b.page.getByRole('button', { name: '确认生效' }).click()
  await b.page.getByText('已生效').first().waitFor()
  await open(b.page, '/config?tab=channels', '系统配置')
  const former = b.page.locator('section.card', { hasText: '微信支付' }).first().getByRole('status')
  await former.getByText(/^原连接还有 \d+ 笔未结束$/).waitFor()
  const told = await former.innerText()
  expect(told).toContain('商户 1900000109')
  expect(told).toMatch(/\d{4}-\d\d-\d\d \d\d:\d\d 起停止接收新申请/)
  await clean(b.page, 'what hangs on the old merchant')
  // It is paid where it began; a new application goes through the new merchant.
  await json(sim(WECHAT, `/_sim/confirm/${no}T01`), { method: 'POST' })
  await until('paid', async () => (await state(id)) === 'succeeded')
  const next = await apply(code(232), 'wechat', 21_00)
  await review(next.card, 'approve')
  const nextNo = await transfer(next.card, next.id, 'awaiting_payee')
  await json(sim(WECHAT, `/_sim/confirm/${nextNo}T01?merchant=1900000208`), { method: 'POST' })
  await until('paid by the new merchant', async () => (await state(next.id)) === 'succeeded')
  const { entries } = await json<{ entries: { kind: string; no: string; merchant: string }[] }>(sim(WECHAT, '/_sim/ledger'))
  const by = (n: string) => entries.filter((e) => e.kind === 'transfer' && e.no.startsWith(n)).map((e) => e.merchant)
  expect([by(no), by(nextNo)]).toEqual([['1900000109'], ['1900000208']])
  const back = { merchant_id: '1900000109', secrets_input: JSON.stringify(await keysOf('1900000109')) }
  await json(`${app}/api/collections/channel_configs/records/${wechat.id}`, { token: await it(), method: 'PATCH', json: back })
  await a.context.close()
  await b.context.close()
})

test('TestConsole_RefusedForGood_IsEndedByTwo_PatientAppliesAgain', async () => {
  await faults(WECHAT, [{ match: 'transfer', nth: 1, fault: 'invalid_request', times: -1 }])
  const { id, card } = await apply(code(233), 'wechat', 30_00)
  await review(card, 'approve')
  const no = await transfer(card, id, 'suspense')
  const a = await sit(browser, 'finance')
  await open(a.page, '/suspense', '挂账处理')
  const section = a.page.locator('section.card', { hasText: no })
  await section.getByText(/再发也是同样的结果|多次|反复|拒绝/).first().waitFor()
  await clean(a.page, 'refused for good')
  await section.getByRole('button', { name: '退回就诊卡', exact: true }).click()
  await a.page.getByLabel('理由').fill('超过单笔限额，请患者改用支付宝，已电话告知')
  await a.page.getByRole('button', { name: '提出', exact: true }).click()
  await section.getByText('需要另一位同事确认').waitFor()
  const b = await sit(browser, 'reviewer2', 'narrow')
  await open(b.page, '/suspense', '挂账处理')
  await b.page.locator('section.card', { hasText: no }).getByRole('button', { name: '确认执行' }).click()
  await b.page.getByRole('dialog').getByRole('button', { name: '确认执行' }).click()
  await until('ended', async () => (await state(id)) === 'failed')
  await calm(WECHAT)
  await open(b.page, `/orders/${id}`, '退款详情')
  await b.page.getByText('确认处理“退回就诊卡”').waitFor()
  await b.page.getByRole('row').filter({ hasText: `${no}T01` }).getByText('对方没有此单').waitFor()
  await clean(b.page, 'ended by two')

  const { page, context } = await visit(browser, code(233), 'wechat')
  await page.goto(`${app}/#/records/${id}`)
  await page.getByText('退款失败').first().waitFor()
  await page.getByRole('button', { name: '重新申请' }).click()
  await page.getByRole('heading', { level: 1, name: '预交金退款须知' }).waitFor()
  quiet(page)
  const again = await apply(code(233), 'wechat', 30_00)
  await review(card, 'approve')
  const second = await transfer(card, again.id, 'awaiting_payee')
  await json(sim(WECHAT, `/_sim/confirm/${second}T01`), { method: 'POST' })
  await until('paid', async () => (await state(again.id)) === 'succeeded')
  expect(await moved(WECHAT, [no, second])).toBe(30_00)
  await context.close()
  await a.context.close()
  await b.context.close()
})

/** backup has PocketBase back up the running folder, and unpacks it elsewhere. */
async function backup(): Promise<string> {
  const token = await it()
  await json(`${app}/api/backups`, { token, json: { name: 'walk.zip' } })
  const to = mkdtempSync(join(tmpdir(), 'hospay-restored-'))
  for (const [name, body] of unzip(readFileSync(join(inject('dir'), 'backups', 'walk.zip')))) {
    if (name.endsWith('/')) continue
    mkdirSync(dirname(join(to, name)), { recursive: true, mode: 0o700 })
    writeFileSync(join(to, name), body, { mode: 0o600 })
  }
  return to
}

test('TestConsole_RestoredCopy_MovesNothingUntilTwoReleaseIt', async () => {
  const { id, card } = await apply(code(234), 'alipay', 40_00)
  await until('to review', async () => (await state(id)) === 'reviewing')
  const dir = await backup()
  await review(card, 'approve')
  const no = await transfer(card, id, 'succeeded') // what the copy does not know
  await faults(ALIPAY, [{ match: 'query', nth: 1, fault: '500_before', times: -1 }])
  const address = `127.0.0.1:${await room()}`
  const copy = start(['serve', '--http', address, '--dir', dir])
  const at = `http://${address}`
  try {
    await up(`${at}/api/health`, copy.child, copy.log)
    const a = await sit(browser, 'finance', 'wide', at)
    const banner = (page: Page) => page.getByRole('status').filter({ hasText: '数据目录是恢复的副本' })
    await open(a.page, '/suspense', '挂账处理')
    await banner(a.page).getByText('付款和扣款已停止').waitFor()
    await a.page.getByText('出款已停止').waitFor()
    await clean(a.page, 'banner of a restored copy')
    await banner(a.page).getByRole('link', { name: '恢复核对' }).click()
    await a.page.getByRole('heading', { level: 1, name: '恢复核对' }).waitFor()
    await a.page.getByText('目录换了位置或机器').waitFor()
    expect(await banner(a.page).count()).toBe(0) // the page itself tells more
    await a.page.getByText(/还有 \d+ 笔没有核对/).waitFor()
    expect(await a.page.getByRole('button', { name: '提出解除' }).isDisabled()).toBe(true)
    await clean(a.page, 'restored copy, not checked yet')
    await calm(ALIPAY)
    await a.page.getByText('都已核对').waitFor()
    await a.page.getByRole('row').filter({ hasText: no }).getByText(`渠道已有本单的付款 ${no}T01`).waitFor()
    await a.page.getByRole('button', { name: '提出解除' }).click()
    const dialog = a.page.getByRole('dialog', { name: '提出解除' })
    expect(await dialog.getByRole('button', { name: '提出', exact: true }).isDisabled()).toBe(true)
    await dialog.getByLabel('说明').fill('已与微信、支付宝商户平台逐笔核对备份以后的付款，和 HIS 的扣款一致；原服务器已断电，以后只用这一台。'.repeat(4))
    await clean(a.page, 'proposal to release')
    await dialog.getByRole('button', { name: '提出', exact: true }).click()
    await a.page.getByText('需要另一位同事确认').waitFor()
    expect(await a.page.getByRole('button', { name: '确认解除' }).count()).toBe(0)
    await clean(a.page, 'proposed release')

    const reader = await sit(browser, 'cashier', 'narrow', at)
    await open(reader.page, '/restored', '恢复核对')
    await reader.page.getByText('核对完毕，恢复付款和扣款').waitFor()
    expect(await reader.page.getByRole('button', { name: /解除|撤回|退回/ }).count()).toBe(0)
    await reader.context.close()

    const b = await sit(browser, 'config', 'narrow', at)
    await open(b.page, '/restored', '恢复核对')
    await b.page.getByRole('button', { name: '退回' }).waitFor()
    await a.page.getByRole('button', { name: '撤回' }).click()
    await a.page.getByRole('button', { name: '提出解除' }).click()
    await dialog.getByLabel('说明').fill('核对完毕')
    await dialog.getByRole('button', { name: '提出', exact: true }).click()
    await a.page.getByText('需要另一位同事确认').waitFor()
    const confirm = async () => {
      await b.page.getByRole('button', { name: '确认解除' }).click()
      await b.page.getByRole('dialog', { name: '确认解除' }).getByRole('button', { name: '确认解除' }).click()
    }
    await confirm() // another proposal than the one that was seen
    await b.page.getByRole('alert').getByText('提议已经变化').waitFor()
    await b.page.getByText('说明：核对完毕').waitFor()
    await clean(b.page, 'another proposal than seen')
    await confirm()
    await b.page.getByText('数据目录不是恢复的副本').waitFor()
    await swept(b.page)
    await clean(b.page, 'released')
    await reload(a.page)
    await a.page.getByText('正常运行').waitFor()
    await open(a.page, '/queue', '退款订单')
    expect(await banner(a.page).count()).toBe(0)
    expect(await moved(ALIPAY, [no])).toBe(40_00) // once, and not by the copy
    await a.context.close()
    await b.context.close()
  } finally {
    await calm(ALIPAY)
    if (copy.child.exitCode === null) {
      const gone = new Promise((r) => copy.child.once('exit', r))
      copy.child.kill('SIGTERM')
      await gone
    }
    rmSync(dir, { recursive: true, force: true })
  }
})
