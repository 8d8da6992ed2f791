import { afterEach, expect, test, vi } from 'vitest'
import { store, stored, storedAs, storedKeys, unstore } from './storage'

afterEach(() => {
  vi.restoreAllMocks()
  localStorage.clear()
  sessionStorage.clear()
})

test('texts are kept as they are, values as JSON, each in its place', () => {
  store('a', 'on')
  store('b', { n: 1 }, 'session')
  expect([stored('a'), localStorage.getItem('a'), stored('a', 'session')]).toEqual(['on', 'on', null])
  expect(storedAs('b', 'session')).toEqual({ n: 1 })
  expect(storedKeys('a')).toEqual(['a'])
  unstore('a')
  expect(stored('a')).toBeNull()
})

test('what cannot be read is not there', () => {
  localStorage.setItem('a', '{')
  expect([storedAs('a'), storedAs('none')]).toEqual([null, null])
})

test('a browser that keeps nothing breaks nothing', () => {
  for (const f of ['getItem', 'setItem', 'removeItem'] as const) vi.spyOn(Storage.prototype, f).mockImplementation(() => { throw new Error('full') })
  store('a', 'on')
  unstore('a')
  expect([stored('a'), storedAs('a')]).toEqual([null, null])
})
