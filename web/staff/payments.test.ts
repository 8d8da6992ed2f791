import { expect, test } from 'vitest'
import { blank, insurancePart, params, query, take } from './payments'

test('the address keeps the filter, and nothing that is blank', () => {
  const f = { ...blank(), needs: '' as const, channel: 'wechat', no: 'P1' }
  expect(query(f)).toEqual({ needs: '', channel: 'wechat', no: 'P1' })
  expect(query(blank())).toEqual({})
  expect(take(query(f))).toEqual(f)
  expect(take({ page: 'x', strange: '1', his: ['a', 'b'] })).toEqual(blank())
})

test('the server is asked for what was chosen', () => {
  expect(params({ ...blank(), no: '  P1 ', from: '2026-01-02' }, 2, 50)).toEqual({ needs: 'people', no: 'P1', from: '2026-01-02', page: '2', per_page: '50' })
  expect(params({ ...blank(), needs: '' }, 1, 20)).toEqual({ page: '1', per_page: '20' })
  expect(insurancePart({ fund: 1, account: 2 })).toBe(3)
})
