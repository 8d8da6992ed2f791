import { beforeEach, expect, test, vi } from 'vitest'
import { pb } from '@shared/api'
import { inRow, keepRow, neighbour } from './row'

beforeEach(() => sessionStorage.clear())

test('one goes through a row in both directions, and over the end of a page', async () => {
  const send = vi.spyOn(pb, 'send').mockResolvedValue({ items: [{ id: 'b' }, { id: 'c' }], next: '' })
  keepRow({ ids: ['a', 'b'], query: 'tab=reviewing', next: '2026|b' })
  expect([await neighbour('a', 1), await neighbour('b', -1), await neighbour('a', -1)]).toEqual(['b', 'a', ''])
  expect(send).not.toHaveBeenCalled()
  expect(await neighbour('b', 1)).toBe('c')
  expect(send.mock.calls[0]?.[0]).toBe('/api/hospay/queue?tab=reviewing&after=2026%7Cb')
  expect(await neighbour('c', 1)).toBe('') // the end
  expect([inRow('c'), inRow('x'), await neighbour('x', 1)]).toEqual([true, false, ''])
})
