import { expect, test } from 'vitest'
import { keepSize, paged, pageOf } from './pages'

test('TestPages_TheAddressSaysPageAndSize', () => {
  expect(paged({ tab: 'rejected' }, 1, 50)).toEqual({ tab: 'rejected' })
  expect(paged({ tab: 'rejected' }, 3, 20)).toEqual({ tab: 'rejected', page: '3', per: '20' })
  expect(pageOf({ page: '3', per: '20' })).toEqual({ page: 3, per: 20 })
  for (const page of ['0', '-1', 'x', '2001', undefined]) expect(pageOf({ page }).page).toBe(1)
  expect(pageOf({ page: '2', per: '7' })).toEqual({ page: 2, per: 50 })
})

test('TestPages_TheSizeThatSomebodyLikesIsKept_AnAddressOutweighsIt', () => {
  const held = new Map<string, string>()
  const storage = { getItem: (k: string) => held.get(k) ?? null, setItem: (k: string, v: string) => void held.set(k, v) }
  Object.defineProperty(globalThis, 'localStorage', { value: storage, configurable: true })
  keepSize(100)
  expect(pageOf({}).per).toBe(100)
  expect(pageOf({ per: '20' }).per).toBe(20)
  expect(pageOf({ page: '2' }).per).toBe(50) // an address of a page means the same for everybody
})
