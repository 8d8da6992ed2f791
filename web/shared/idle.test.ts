import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createApp } from 'vue'
import { watchIdle } from './idle'

const gone = vi.fn()
const working = vi.fn()
let minutes = 30

function sit(): () => void {
  const app = createApp({ setup: () => watchIdle({ minutes: () => minutes, gone, working }), render: () => null })
  app.mount(document.createElement('div'))
  return () => app.unmount()
}
const pass = (n: number) => vi.advanceTimersByTime(n * 60_000)

beforeEach(() => {
  vi.useFakeTimers()
  gone.mockReset()
  working.mockReset()
  minutes = 30
})
afterEach(() => { vi.useRealTimers() })

test('nobody at the screen for half an hour ends it, a touch does not', () => {
  const leave = sit()
  pass(29)
  window.dispatchEvent(new Event('keydown'))
  pass(29)
  expect(gone).not.toHaveBeenCalled()
  expect(working).toHaveBeenCalled()
  pass(2)
  expect(gone).toHaveBeenCalled()
  leave()
})

test('while nobody is logged in nothing ends, and nothing after the page has gone', () => {
  minutes = 0
  const leave = sit()
  pass(90)
  minutes = 30
  leave()
  pass(90)
  expect([gone.mock.calls.length, working.mock.calls.length]).toEqual([0, 0])
})
