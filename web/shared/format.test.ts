import { describe, expect, test } from 'vitest'
import { clock, dateTime, daysAgo, left, parseYuan, yuan } from './format'

describe('amounts', () => {
  test.each([
    [0, '¥0.00'], [1, '¥0.01'], [123450, '¥1,234.50'], [100000000, '¥1,000,000.00'], [-5, '-¥0.05'],
  ])('yuan(%i)', (fen, text) => expect(yuan(fen)).toBe(text))
  test.each([
    ['12.34', 1234], ['0.1', 10], ['1,234.5', 123450], ['¥ 7', 700], ['0', 0], ['100', 10000],
  ])('parseYuan(%s)', (text, fen) => expect(parseYuan(text)).toBe(fen))
  test.each(['', 'abc', '1.234', '-1', '1.', '.5', '1e3', '12.3.4', '9999999999'])('parseYuan(%s) is no amount', (text) => expect(parseYuan(text)).toBeNull())
  test('what is printed reads back to the fen', () => {
    for (let fen = 0; fen < 2_000_000; fen += 997) expect(parseYuan(yuan(fen))).toBe(fen)
  })
})

describe('times are Beijing times', () => {
  test('RFC 3339 and PocketBase', () => {
    expect(dateTime('2026-11-24T23:59:30Z')).toBe('2026-11-25 07:59')
    expect(dateTime('2026-11-24 16:00:00.000Z')).toBe('2026-11-25 00:00')
    expect(clock('2026-11-24T10:32:00+08:00')).toBe('10:32')
    expect(dateTime('')).toBe('—')
  })
  test('a day begins at midnight in Beijing', () => {
    expect(daysAgo(0, new Date('2026-11-24T17:00:00Z'))).toBe('2026-11-24 16:00:00.000Z')
    expect(daysAgo(7, new Date('2026-11-24T01:00:00Z'))).toBe('2026-11-16 16:00:00.000Z')
  })
  test('time left', () => {
    const now = Date.parse('2026-11-24T00:00:00Z')
    expect(left('2026-11-24T23:30:00Z', now)).toEqual({ hours: 23, minutes: 30 })
    expect(left('2026-11-23T00:00:00Z', now)).toEqual({ hours: 0, minutes: 0 })
  })
})
