import { beforeEach, expect, test, vi } from 'vitest'

const call = vi.hoisted(() => vi.fn())
const who = vi.hoisted(() => ({ id: 'one' }))
vi.mock('@shared/api', () => ({ call }))
vi.mock('./session', () => ({ patientId: () => who.id }))
const { ahead, come } = await import('./ahead')

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2028-02-29T23:59:50+08:00') })
  call.mockReset()
  call.mockImplementation(() => Promise.resolve(call.mock.calls.length))
  who.id = 'one'
})

test('what was asked ahead comes once, and is asked once', async () => {
  ahead('/a')
  ahead('/a')
  expect(await come('/a')).toBe(1)
  expect(await come('/a')).toBe(2)
})

test('an old answer, a failed one and that of another person are none', async () => {
  ahead('/old')
  vi.advanceTimersByTime(20_000)
  expect(await come('/old')).toBe(2)
  call.mockImplementationOnce(() => Promise.reject(new Error('away')))
  ahead('/failed')
  expect(await come('/failed')).toBe(4)
  ahead('/mine')
  who.id = 'two'
  expect(await come('/mine')).toBe(6)
})
