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

test('at the end of what waits in turn, whoever has come meanwhile is next', async () => {
  const send = vi.spyOn(pb, 'send').mockReset()
  keepRow({ ids: ['a', 'b'], query: 'tab=reviewing&sort=oldest', next: '' })
  send.mockResolvedValueOnce({ items: [{ id: 'b' }], next: '' })
  expect(await neighbour('b', 1)).toBe('')
  send.mockResolvedValueOnce({ items: [{ id: 'b' }], next: '2026|b' }).mockResolvedValueOnce({ items: [{ id: 'c' }], next: '' })
  expect(await neighbour('b', 1)).toBe('c') // skipped ones fill the first page
  expect(send.mock.calls.map(([path]) => path)).toEqual([
    '/api/hospay/queue?tab=reviewing&sort=oldest&', '/api/hospay/queue?tab=reviewing&sort=oldest&',
    '/api/hospay/queue?tab=reviewing&sort=oldest&after=2026%7Cb',
  ])
  keepRow({ ids: ['a'], query: 'tab=reviewing&sort=oldest', next: '2026|a' }) // the page after it is empty by now
  send.mockReset().mockResolvedValueOnce({ items: [], next: '' }).mockResolvedValueOnce({ items: [{ id: 'd' }], next: '' })
  expect(await neighbour('a', 1)).toBe('d')
  keepRow({ ids: ['a'], query: 'tab=succeeded&sort=newest', next: '' })
  expect(await neighbour('a', 1)).toBe('')
})
