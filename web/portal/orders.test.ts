import { expect, test } from 'vitest'
import { filterOf, finals, tone } from './orders'

test('filters say what they mean', () => {
  expect(filterOf({})).toBe('compensates = ""')
  expect(filterOf({ state: 'open' })).toContain('status != "succeeded" && status != "refused"')
  expect(filterOf({ state: 'awaiting_payee', channel: 'wechat', who: 'proxy' }))
    .toBe(`compensates = "" && status = "awaiting_payee" && channel = "wechat" && proxy_application != ""`)
  expect(filterOf({ days: 7 }, new Date('2026-11-24T01:00:00Z'))).toContain(`created >= "2026-11-16 16:00:00.000Z"`)
})

test('a value from outside cannot change a filter', () => {
  expect(filterOf({ channel: 'x" || "1"="1' })).toBe('compensates = "" && channel = "x\\" || \\"1\\"=\\"1"')
})

test('every final state has a colour of its own', () => {
  for (const s of finals) expect(tone(s)).not.toBe('')
})
