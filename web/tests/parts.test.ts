// Nothing that a patient may be told is missing from the first load's sentences.
import all from '@texts/zh-CN.json'
import first from '@texts/zh-CN.json?first'
import rest from '@texts/zh-CN.json?rest'
import { expect, test } from 'vitest'

test('the two parts are the whole, and every sentence is in one of them', () => {
  expect({ ...first, ...rest }).toEqual(all)
  expect(Object.keys(first).length + Object.keys(rest).length).toBe(Object.keys(all).length)
})

test('what the pages of patients say by itself is in the first part', () => {
  const kept = ['page', 'status', 'next', 'timeline', 'proxy', 'reason', 'payment.error', 'payment.status', 'payment.next', 'payment.waits', 'payment.refund']
  expect(Object.keys(rest).filter((k) => kept.some((p) => k.startsWith(`${p}.`)))).toEqual([])
})
