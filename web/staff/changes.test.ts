import type { Change, ChannelSettings as ChannelConfig, Configuration as Config } from '@shared/answers'
import { expect, test } from 'vitest'
import { fieldsOf, rowsOf } from './changes'
import { nested } from './fields'

const channel = {
  id: 'c1', channel: 'wechat',
  settings: [{ name: 'scenes', label: '场景', value: 'a,b', kind: 'many', choices: [['a', '甲'], ['b', '乙']], default: '', help: '' }],
  secrets: [{ name: 'key', label: '密钥', kind: 'text', help: '', held: true }],
} as unknown as ChannelConfig
const fields = fieldsOf({ channels: [channel], regions: [] } as unknown as Config)
const change = (collection: string, before: Record<string, unknown>, after: Record<string, unknown>) => (
  { target: { collection, id: 'x' }, before, after } as Change
)

test('amounts, switches, choices and rules are told in words', () => {
  const before = { min_amount: 100, proxy_on: false, debit_at: 'application' }
  const after = { min_amount: 250, proxy_on: true, debit_at: 'approval' }
  expect(rowsOf(change('institutions', before, after), fields)).toEqual([
    { name: '最低退款金额（元）', before: '¥1.00', after: '¥2.50' },
    { name: '线上代办', before: '否', after: '是' },
    { name: 'HIS 扣减时机', before: '申请时', after: '审核通过后' },
  ])
  const rules = [{ rule: 'max_amount', limit: 200_000, on_fail: 'manual' }, { rule: 'night_hours', from: '23:00', to: '06:00', on_fail: 'reject' }]
  expect(rowsOf(change('review_settings', {}, { rules }), fields)).toEqual([
    { name: '规则：金额上限', before: '没有这条规则', after: '¥2,000.00，不符合时转人工' },
    { name: '规则：夜间申请', before: '没有这条规则', after: '23:00 至 06:00，不符合时驳回' },
  ])
})

test('of the rules only those that differ are told, without the zeros that the record holds', () => {
  const zeros = { limit: 0, count: 0, days: 0, hours: 0, from: '', to: '' }
  const before = [{ ...zeros, rule: 'max_amount', limit: 200_000, on_fail: 'manual' }, { ...zeros, rule: 'orders_today', count: 3, on_fail: 'manual' }]
  const after = [{ ...zeros, rule: 'max_amount', limit: 300_000, on_fail: 'manual' }, before[1], { ...zeros, rule: 'card_age', days: 7, on_fail: 'reject' }]
  expect(rowsOf(change('review_settings', { rules: before }, { rules: after }), fields)).toEqual([
    { name: '规则：金额上限', before: '¥2,000.00，不符合时转人工', after: '¥3,000.00，不符合时转人工' },
    { name: '规则：办卡天数', before: '没有这条规则', after: '7 天，不符合时驳回' },
  ])
  expect(rowsOf(change('review_settings', { rules: after }, { rules: after.slice(0, 2) }), fields)).toEqual([
    { name: '规则：办卡天数', before: '7 天，不符合时驳回', after: '移除这条规则' },
  ])
})

test('of a mapping only the values that differ are told, with their place', () => {
  const before = { operations: { debit: { path: '/refund', fields: { no: 'orderNo' } } } }
  const after = { operations: { debit: { path: '/refund/v2', fields: { no: 'orderNo' } } } }
  expect(rowsOf(change('his_configs', { mapping: before }, { mapping: after }), fields)).toEqual([
    { name: '字段对照 operations.debit.path', before: '/refund', after: '/refund/v2' },
  ])
})

test('a name is that of a person where people are changed, and roles have words', () => {
  const after = { name: '李四', roles: ['reviewer', 'auditor'] }
  expect(rowsOf(change('staff', { name: '张三', roles: ['reviewer'] }, after), fields)).toEqual([
    { name: '姓名', before: '张三', after: '李四' }, { name: '角色', before: '审核', after: '审核、审计' },
  ])
  expect(rowsOf(change('institutions', { name: '甲医院' }, { name: '乙医院' }), fields)[0]?.name).toBe('医院名称')
})

test('of settings and secrets only what differs is told', () => {
  const before = { settings: { scenes: 'a', timeout: '10' }, secrets: { key: '（已设置）' } }
  const after = { settings: { scenes: 'a,b', timeout: '10' }, secrets: { key: '（新值）' } }
  expect(rowsOf(change('channel_configs', before, after), fields)).toEqual([
    { name: '场景', before: '甲', after: '甲、乙' }, { name: '密钥', before: '（已设置）', after: '（新值）' },
  ])
})

test('names with a dot go under their head, as texts', () => {
  expect(nested({ active: true, 'settings.scenes': ['a', 'b'], 'settings.timeout': 10 })).toEqual({ active: true, settings: { scenes: 'a,b', timeout: '10' } })
})
