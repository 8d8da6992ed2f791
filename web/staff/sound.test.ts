import { beforeEach, expect, test, vi } from 'vitest'
import { nextTick } from 'vue'
import { counts } from './counts'
import { loud, watchSound } from './sound'

const started: number[] = []
class Fake {
  currentTime = 1
  destination = {}
  createOscillator = () => ({ frequency: { value: 0 }, connect: <T>(to: T) => to, start: () => { started.push(1) }, stop: () => {}, onended: null })
  createGain = () => ({ gain: { setValueAtTime: () => {}, exponentialRampToValueAtTime: () => {} }, connect: <T>(to: T) => to })
}
beforeEach(() => {
  localStorage.clear()
  started.length = 0
  vi.stubGlobal('AudioContext', Fake)
})

test('a tone when more waits than before, for those who have asked for it', async () => {
  const stop = watchSound()
  const see = async (n: number) => {
    counts.todo = n
    await nextTick()
    return started.length
  }
  expect([await see(3), await see(5)]).toEqual([0, 0]) // nobody has asked
  loud.value = true
  expect([await see(4), await see(4), await see(6), await see(7)]).toEqual([0, 0, 1, 2])
  loud.value = false
  expect(await see(9)).toBe(2)
  delete counts.todo
  await nextTick()
  loud.value = true
  expect(await see(8)).toBe(2) // the first that is read after a login
  stop()
})
