// @vitest-environment node
// The sample mini program: its pages run in a stand-in for WeChat's own world.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../mini', import.meta.url))

type Any = Record<string, any>

/** open runs a page of the mini program as WeChat does, with what the address brought and with the functions of wx that there are. */
function open(page: string, options: Record<string, string>, wx: Any) {
  const state: Any = { back: '' }
  const left: string[] = []
  const world = { navigateBack: () => left.push('back'), ...wx }
  const load = (file: string): Any => {
    const module: { exports: Any } = { exports: {} }
    const require = (name: string) => load(resolve(dirname(file), `${name}.js`))
    new Function('module', 'require', 'wx', 'getApp', 'Page', 'App', readFileSync(file, 'utf8'))(
      module, require, world, () => ({ globalData: state }), (p: Any) => { made = p }, () => {}
    )
    return module.exports
  }
  let made: Any = {}
  load(resolve(root, `pages/${page}/${page}.js`))
  const view: Any = Object.assign(made, { setData(change: Any) { Object.assign(made.data, change) } })
  view.onLoad?.(Object.fromEntries(Object.entries(options).map(([k, v]) => [k, encodeURIComponent(v)])))
  return { view, state, left }
}

test('TestMini_EveryPageIsThere', () => {
  const { pages } = JSON.parse(readFileSync(resolve(root, 'app.json'), 'utf8')) as { pages: string[] }
  expect(pages.sort()).toEqual(['pages/authorise/authorise', 'pages/confirm/confirm', 'pages/index/index', 'pages/pay/pay'])
  for (const p of pages) for (const kind of ['js', 'json', 'wxml']) expect(readFileSync(resolve(root, `${p}.${kind}`), 'utf8')).not.toBe('')
})

test('TestMini_LogsInAndOpensThePages', () => {
  const codes = ['C1', 'C2']
  const wx = { login: (o: Any) => o.success({ code: codes.shift() }) }
  expect(open('index', {}, wx).view.data.src).toBe('https://hospital.example/?mini=C1')
  const asked = open('index', { url: 'https://hospital.example/?inst=EAST#/records/1' }, wx)
  expect(asked.view.data.src).toBe('https://hospital.example/?inst=EAST&mini=C2#/records/1')
})

test('TestMini_OpensNothingButTheHospital', () => {
  const wx = { login: (o: Any) => o.success({ code: 'C' }) }
  for (const url of ['https://evil.example/', 'https://hospital.example.evil/', 'http://hospital.example/', 'javascript:1']) {
    const { view, state } = open('index', { url }, wx)
    expect(view.data.src).toBe('https://hospital.example/?mini=C')
    state.back = url
    view.onShow()
    expect(view.data.src).toBe('https://hospital.example/?mini=C')
  }
})

test('TestMini_SaysThatTheLoginFailed', () => {
  let works = false
  const { view } = open('index', {}, { login: (o: Any) => (works ? o.success({ code: 'C' }) : o.fail({})) })
  expect(view.data).toMatchObject({ src: '', failed: true })
  works = true
  view.enter()
  expect(view.data).toMatchObject({ src: 'https://hospital.example/?mini=C', failed: false })
})

test('TestMini_ConfirmsWithWhatThePageGave', () => {
  const calls: Any[] = []
  let answer = 'fail'
  const { view, left } = open('confirm', { mch_id: '1900000109', app_id: 'wxdemo', package: 'aB+/c=' }, {
    requestMerchantTransfer: (o: Any) => { calls.push({ mchId: o.mchId, appId: o.appId, package: o.package }); o[answer]({}) },
  })
  expect(view.data).toEqual({ text: '还没有确认收款，可以再次打开。', again: true })
  expect(left).toEqual([])
  answer = 'success'
  view.open()
  expect(calls).toEqual(Array(2).fill({ mchId: '1900000109', appId: 'wxdemo', package: 'aB+/c=' }))
  expect(left).toEqual(['back'])
})

test('TestMini_PaysBothForms', () => {
  const values = { timeStamp: '1', nonceStr: 'n', package: 'prepay_id=wx1', signType: 'RSA', paySign: 'a+b/c=' }
  for (const [form, name] of [['wechat_jsapi', 'requestPayment'], ['wechat_medins', 'requestMedicalInsurancePay']]) {
    const asked: Any[] = []
    const { left } = open('pay', { form: form!, values: JSON.stringify(values) }, {
      [name!]: (o: Any) => { const { success, fail: _, ...rest } = o; asked.push(rest); success({}) },
    })
    expect(asked).toEqual([values])
    expect(left).toEqual(['back'])
  }
  const cancelled = open('pay', { form: 'wechat_jsapi', values: '{}' }, { requestPayment: (o: Any) => o.fail({ errMsg: 'requestPayment:fail cancel' }) })
  expect(cancelled.view.data.text).toBe('没有支付，可以再次打开。')
  const odd = open('pay', { form: 'wechat_jsapi', values: '{' }, { requestPayment: () => { throw new Error('called') } })
  expect(odd.view.data.text).toContain('没有支付参数')
})

test('TestMini_AnOldWeChatIsTold', () => {
  expect(open('confirm', { mch_id: '1', app_id: 'a', package: 'p' }, {}).view.data.text).toContain('微信版本过低')
  expect(open('pay', { form: 'wechat_medins', values: '{}' }, {}).view.data.text).toContain('微信版本过低')
})

test('TestMini_BringsTheCredentialBack', () => {
  let from: Any = { referrerInfo: { appId: 'wxtencent', extraData: {} } }
  const went: Any[] = []
  const { view, state, left } = open('authorise', { app_id: 'wxtencent', path: 'auth/index?a=b', back: 'https://hospital.example/?inst=E#/payments/1' }, {
    navigateToMiniProgram: (o: Any) => { went.push({ appId: o.appId, path: o.path }); o.success() },
    getEnterOptionsSync: () => from,
  })
  view.onShow() // shown for the first time: nobody has been away
  expect(went).toEqual([])
  view.go()
  expect(went).toEqual([{ appId: 'wxtencent', path: 'auth/index?a=b' }])
  view.onShow()
  expect(view.data.text).toContain('没有完成授权')
  from = { referrerInfo: { appId: 'wxother', extraData: { authCode: 'A0' } } }
  view.go()
  view.onShow()
  expect(state.back).toBe('')
  from = { referrerInfo: { appId: 'wxtencent', extraData: { authCode: 'A1' } } }
  view.go()
  view.onShow()
  expect(state.back).toBe('https://hospital.example/?inst=E&authCode=A1#/payments/1')
  expect(left).toEqual(['back'])
})
