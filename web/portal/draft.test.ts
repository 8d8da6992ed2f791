import { beforeEach, expect, test } from 'vitest'
import { application, draft, endDraft, plan, refused } from './draft'

beforeEach(() => {
  endDraft()
  Object.assign(draft, { cardNo: 'C1', payeeName: '张三', payeeAccount: '13800138000', phone: '13900139000', noticeVersion: '1' })
  plan([{ method: 'transfer', channel: 'alipay', amount: 100, deposit_no: '' }])
})

const send = () => application(draft.orders[0]!)

test('however often it is sent, equal content has one id', () => {
  const first = send()
  expect(send()).toEqual(first)
  expect(first).toMatchObject({ id: draft.orders[0]!.id, group: draft.group, payee_account: '13800138000' })
})

test('whatever changes after a lost answer makes another order', () => {
  const changes = [
    { payeeAccount: '13800138001' }, { payeeAccount: '' }, { payeeName: '李四' }, { phone: '13900139001' }, { cardNo: 'C2' },
    { noticeVersion: '2' }, { proxy: 'proxyabc0000001' },
  ]
  for (const change of changes) {
    const before = send()
    Object.assign(draft, change)
    const after = send()
    expect(after.id).not.toBe(before.id)
    expect(after.group).not.toBe(before.group)
    expect(send()).toEqual(after)
  }
})

test('a refusal frees the order from its id, not from its group', () => {
  const before = send()
  refused(draft.orders[0]!)
  draft.payeeAccount = '13800138001'
  const after = send()
  expect(after.id).not.toBe(before.id)
  expect(after.group).toBe(before.group)
})

test('a plan that changes after an attempt has new ids', () => {
  const before = send()
  plan([{ method: 'transfer', channel: 'alipay', amount: 101, deposit_no: '' }])
  expect(send().id).not.toBe(before.id)
})
