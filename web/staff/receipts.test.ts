import { expect, test } from 'vitest'
import { lapse } from './receipts'

test('a receipt that expires within 30 days stands out', () => {
  const now = Date.parse('2026-11-25T12:00:00+08:00')
  expect(lapse('2027-05-25T12:00:00+08:00', now).soon).toBe(false)
  expect(lapse('2026-12-26T12:00:00+08:00', now)).toEqual({ soon: false, text: '剩 31 天' })
  expect(lapse('2026-12-25T11:59:59+08:00', now)).toEqual({ soon: true, text: '剩 29 天' })
  expect(lapse('2026-11-25T13:00:00+08:00', now)).toEqual({ soon: true, text: '剩 0 天' })
  expect(lapse('2026-11-25T11:00:00+08:00', now)).toEqual({ soon: true, text: '已过期' })
})
