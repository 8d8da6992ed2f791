// The sentences of the server and of the pages, one file per language. Chinese
// is part of the first load, other languages come when they are chosen.
import zh from '@texts/zh-CN.json?first'
import { reactive } from 'vue'
import { store, stored } from './storage'

type Texts = Record<string, string>
export type Language = 'zh-CN' | 'en'

const KEY = 'hospay_language'
const state = reactive({ language: 'zh-CN' as Language, texts: zh as Texts })

/** t is the sentence of a key, with {name} places filled. A missing key shows itself. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  let text = state.texts[key] ?? (zh as Texts)[key] ?? key
  for (const [name, value] of Object.entries(values)) text = text.split(`{${name}}`).join(String(value))
  return text
}

/** has reports whether there is a sentence of a key. */
export function has(key: string): boolean {
  return key in zh
}

/** say adds sentences that only some pages have. */
export function say(more: Texts): void {
  Object.assign(zh, more)
}

export function language(): Language {
  return state.language
}

/** setLanguage changes the language of the pages and remembers it. */
export async function setLanguage(language: Language): Promise<void> {
  state.texts = language === 'en' ? ((await import('@texts/en.json')).default as Texts) : (zh as Texts)
  state.language = language
  document.documentElement.lang = language
  store(KEY, language)
}

/** startLanguage applies the language that was chosen before. */
export async function startLanguage(): Promise<void> {
  if (stored(KEY) === 'en') await setLanguage('en')
}
