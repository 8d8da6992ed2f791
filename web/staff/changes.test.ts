import type { Change, ChannelSettings as ChannelConfig, Configuration as Config } from '@shared/answers'
import { expect, test } from 'vitest'
import { fieldsOf, rowsOf } from './changes'
import { nested } from './fields'

const channel = {
  id: 'c1', channel: 'wechat',
  settings: [{ name: 'scenes', label: '场景', value: 'a,b', kind: 'many', choices: [['a', '甲'], ['b', '乙']], default: '', help: '' }],
  secrets: [{ name: 'key', label: '密钥', kind: 'text', help: '', held: true }],
} as unknown as ChannelConfig
const fields = fieldsOf({ channels: [channel] } as Config)
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
  expect(rowsOf(change('review_settings', {}, { rules }), fields)[0])
    .toEqual({ name: '规则', before: '空', after: '金额上限 ¥2,000.00 转人工；夜间申请 23:00 至 06:00 驳回' })
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
