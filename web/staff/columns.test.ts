import { expect, test } from 'vitest'
import { chooseColumns, columnsOf, shownColumns } from './columns'

test('every tab shows amount and status; only what waits shows for how long', () => {
  for (const tab of ['', 'reviewing', 'awaiting_payee', 'processing', 'exceptions', 'succeeded', 'rejected'] as const) {
    expect(columnsOf(tab)).toEqual(expect.arrayContaining(['金额', '状态']))
    expect(columnsOf(tab).includes('等待')).toBe(['reviewing', 'awaiting_payee', 'processing', 'exceptions'].includes(tab))
  }
})

test('what somebody has chosen for a tab is for that tab', () => {
  chooseColumns('succeeded', ['退款单号', '金额'])
  expect(shownColumns('succeeded')).toEqual(['退款单号', '金额'])
  expect(shownColumns('rejected')).toEqual(columnsOf('rejected'))
})
