// What somebody looks for in a list: any number, a name, a phone or its last four digits.
// Names and phones are in no address: the server tells what stands for them there.
import { ref } from 'vue'
import type { FindView } from '@shared/answers'
import { call } from '@shared/api'

/** number reports whether a text is a number of some side and no phone, so that it may stand in the address as it is. */
export function number(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{4,63}$/.test(text) && /\d/.test(text) && !/^(86)?1\d{10}$/.test(text)
}

const texts = new Map<string, string>() // what stands for a text, and the text; for as long as the page is open

/** useFind is the one box of a list whose filter has what stands for its text. */
export function useFind(form: { no: string; find: string }) {
  const text = ref('')

  /** ask puts what stands for the text into the filter. */
  async function ask(): Promise<void> {
    const typed = text.value.trim()
    if (typed === '' || number(typed)) {
      Object.assign(form, { no: typed, find: '' })
      return
    }
    if (form.find && texts.get(form.find) === typed) return
    const { find } = await call<FindView>('POST', '/api/hospay/find', { text: typed })
    texts.set(find, typed)
    Object.assign(form, { no: '', find })
  }

  /** tell writes into the box what the filter stands for. */
  async function tell(): Promise<void> {
    const { no, find } = form
    text.value = find ? texts.get(find) ?? '' : no
    if (!find || texts.has(find)) return
    const told = await call<FindView>('POST', '/api/hospay/find', { find })
    texts.set(find, told.text)
    if (form.find === find) text.value = told.text
  }
  return { text, ask, tell }
}
