import { expect, test } from 'vitest'
import { blank, params, query, statusesOf, take } from './filter'

test('the address keeps only what differs from the start', () => {
  expect(query(blank())).toEqual({})
  expect(query({ ...blank(), tab: '', channel: 'wechat', min: '10' })).toEqual({ tab: '', channel: 'wechat', min: '10' })
})

test('the server gets fen, trimmed numbers, and a date only with a range', () => {
  expect(params(blank())).toEqual({ tab: 'reviewing' })
  expect(params({ ...blank(), date: 'paid', from: '2026-11-01', min: '12.5', max: '1,000', no: ' R1 ' }))
    .toEqual({ tab: 'reviewing', date: 'paid', from: '2026-11-01', amount_min: '1250', amount_max: '100000', no: 'R1' })
  expect(params({ ...blank(), date: 'paid' })).toEqual({ tab: 'reviewing' })
})

test('a filter of before finds its card', () => {
  expect(take({ card_no: 'C0021', tab: '', strange: 'x', find: ['a'] })).toEqual({ ...blank(), tab: '', no: 'C0021' })
  expect(take({ card_no: '', no: 'R1' })).toEqual({ ...blank(), no: 'R1' })
})

test('every state is in a tab', () => {
  const all = new Set(['reviewing', 'awaiting_payee', 'processing', 'exceptions', 'succeeded', 'rejected'].flatMap((t) => statusesOf(t as never)))
  for (const s of statusesOf('')) expect(all.has(s), s).toBe(true)
})
