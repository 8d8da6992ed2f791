import { expect, test } from 'vitest'
import { monthEnds, periodName, shift, spans } from './ranges'

test('days are those of Beijing, over months, years and 29 February', () => {
  expect([shift('2028-02-28', 1), shift('2028-03-01', -1), shift('2026-01-01', -1)]).toEqual(['2028-02-29', '2028-02-29', '2025-12-31'])
  const of = (today: string) => Object.fromEntries(spans(today).map(([name, from, to]) => [name, [from, to]]))
  expect(of('2028-03-01')).toMatchObject({
    今天: ['2028-03-01', '2028-03-01'], 昨天: ['2028-02-29', '2028-02-29'], '最近 7 天': ['2028-02-24', '2028-03-01'],
    本月: ['2028-03-01', '2028-03-01'], 上月: ['2028-02-01', '2028-02-29'], 今年: ['2028-01-01', '2028-03-01'],
  })
  expect(of('2026-01-15')['上月']).toEqual(['2025-12-01', '2025-12-31'])
})

test('a voucher names a day, a whole month, or both ends', () => {
  expect([periodName('2028-02-29', '2028-02-29'), periodName('2028-02-01', '2028-02-29'), periodName('2027-12-01', '2027-12-31')])
    .toEqual(['2028年2月29日', '2028年2月', '2027年12月'])
  expect([monthEnds('2028-02').to, monthEnds('2027-12').to]).toEqual(['2028-02-29', '2027-12-31'])
  expect([periodName('2028-02-01', '2028-02-28'), periodName('2028-01-01', '2028-02-29'), periodName('2028-02-02', '2028-03-01')])
    .toEqual(['2028-02-01 至 2028-02-28', '2028-01-01 至 2028-02-29', '2028-02-02 至 2028-03-01'])
})
