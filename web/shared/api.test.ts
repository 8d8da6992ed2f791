import { expect, test, vi } from 'vitest'
import { ClientResponseError } from 'pocketbase'
import { guarded, onSessionLost } from './api'

const refused = (status: number, code: string) => Promise.reject(new ClientResponseError({ url: '', status, response: { message: '', data: { code } } }))

test('a session that the server has ended is noticed, whatever ended it', async () => {
  const lost = vi.fn()
  onSessionLost(lost)
  for (const code of ['', 'idle', 'not_allowed']) await expect(guarded(() => refused(401, code))).rejects.toMatchObject({ code: 'session' })
  expect(lost).toHaveBeenCalledTimes(3)
  await expect(guarded(() => refused(401, 'login_expired'))).rejects.toMatchObject({ code: 'login_expired' })
  await expect(guarded(() => refused(403, 'not_allowed'))).rejects.toMatchObject({ code: 'not_allowed' })
  expect(lost).toHaveBeenCalledTimes(3)
})
