import { expect, test } from 'vitest'
import { ClientResponseError } from 'pocketbase'
import { Failure } from './api'
import { byItself, useTask } from './useTask'

const refused = (code: string) => new ClientResponseError({ url: '', status: 409, response: { message: '', data: { code } } })
/** held is a promise that the test ends. */
function held(): { promise: Promise<void>; end: () => void; fail: (err: unknown) => void } {
  let end = () => {}
  let fail: (err: unknown) => void = () => {}
  const promise = new Promise<void>((yes, no) => { [end, fail] = [yes, no] })
  return { promise, end, fail }
}

test('an action runs under its name until it ends', async () => {
  const { running, run } = useTask()
  const work = held()
  const done = run('send', () => work.promise)
  expect([running('send'), running('other'), running()]).toEqual([true, false, true])
  work.end()
  expect(await done).toBe(true)
  expect(running()).toBe(false)
})

test('an action that is tapped twice runs once, beside others', async () => {
  const { running, run } = useTask()
  const work = held()
  let times = 0
  const first = run('send', () => { times++; return work.promise })
  expect(await run('send', async () => { times++ })).toBe(false)
  expect(await run('other', async () => {})).toBe(true)
  expect([times, running('send')]).toEqual([1, true])
  work.end()
  expect(await first).toBe(true)
})

test('a coded error is told in a sentence, and taken back when somebody acts anew', async () => {
  const { trouble, running, run } = useTask()
  expect(await run('send', () => Promise.reject(refused('conflict')))).toBe(false)
  expect(trouble.value?.code).toBe('conflict')
  expect(trouble.value?.message).toMatch(/[\u4e00-\u9fff]/)
  expect(running()).toBe(false)
  const work = held()
  const done = run('send', () => work.promise)
  expect(trouble.value).toBeNull()
  work.end()
  await done
})

test('what has no answer is told as the network', async () => {
  const { trouble, run } = useTask()
  await run('send', () => Promise.reject(new TypeError('Failed to fetch')))
  expect(trouble.value?.code).toBe('network')
})

test('after a refusal the page is read anew, and the refusal stays told', async () => {
  const { trouble, running, read, run } = useTask()
  const seen: string[] = []
  const load = () => read(async () => { seen.push(running('send') ? 'running' : 'ended') })
  await run('send', () => Promise.reject(refused('conflict')), load)
  await run('send', async () => {}, load)
  expect(seen).toEqual(['running', 'running'])
  await run('send', () => Promise.reject(refused('conflict')), load)
  expect(trouble.value?.code).toBe('conflict')
})

test('a reading takes back what was told before it began, and nothing later', async () => {
  const { trouble, read, run } = useTask()
  await run('send', () => Promise.reject(refused('conflict')))
  await read(async () => {})
  expect(trouble.value).toBeNull()
  const slow = held()
  const reading = read(() => slow.promise)
  await run('send', () => Promise.reject(refused('conflict')))
  slow.end()
  await reading
  expect(trouble.value?.code).toBe('conflict')
})

test('a reading that nobody asked for takes back nothing, and shows no spinner', async () => {
  const { trouble, reading, read, run } = useTask()
  await run('send', () => Promise.reject(refused('conflict')))
  const slow = held()
  let done = Promise.resolve(false)
  byItself(() => { done = read(() => slow.promise) })
  expect(reading.value).toBe(false)
  slow.end()
  await done
  expect(trouble.value?.code).toBe('conflict')
  await read(async () => {}) // somebody asks
  expect(trouble.value).toBeNull()
})

test('an action does not hide that the page could not be read', async () => {
  const { trouble, read, run } = useTask()
  await read(() => Promise.reject(refused('not_found')))
  await run('send', async () => {})
  expect(trouble.value?.code).toBe('not_found')
})

test('of two readings the later one counts, whichever ends first', async () => {
  const { trouble, reading, read } = useTask()
  const [old, now] = [held(), held()]
  let shown = ''
  const ask = (what: string, until: Promise<void>) => read(async (latest) => {
    await until
    if (latest()) shown = what
  })
  const both = [ask('old', old.promise), ask('new', now.promise)]
  now.end()
  await both[1]
  expect(reading.value).toBe(true)
  old.fail(refused('conflict'))
  await both[0]
  expect([shown, trouble.value, reading.value]).toEqual(['new', null, false])
})

test('a page may say a failure in its own words, or not at all', async () => {
  const { trouble, read, run } = useTask((what, name) => {
    if (what.code === 'conflict') return null
    return name === 'send' ? new Failure(what.code, '还不知道结果') : what
  })
  expect(await run('send', () => Promise.reject(refused('conflict')))).toBe(false)
  expect(trouble.value).toBeNull()
  await run('send', () => Promise.reject(new Error('gone')))
  expect(trouble.value?.message).toBe('还不知道结果')
  await read(() => Promise.reject(refused('not_found')))
  expect(trouble.value?.message).toBe('还不知道结果')
})
