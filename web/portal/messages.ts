// What the patient was told, and how much of it was not opened yet.
import { ref } from 'vue'
import { call } from '@shared/api'
import type { MessagesView, MessageView, UnreadView } from '@shared/answers'
import { localRoute } from '@shared/session'

export type Message = MessageView
export const unread = ref(0)

/** listMessages reads a page of notices, newest first. */
export async function listMessages(page = 1): Promise<Message[]> {
  const answer = await call<MessagesView>('GET', `/api/hospay/messages?page=${page}`)
  unread.value = answer.unread
  return answer.items
}

/** markRead tells that one notice, or all of them, was opened. */
export async function markRead(id = ''): Promise<void> {
  unread.value = (await call<UnreadView>('POST', `/api/hospay/messages/${id ? `${id}/` : ''}read`)).unread
}

/** pageOf is the page that a notice is about. */
export const pageOf = (m: Message) => localRoute(m.page)
