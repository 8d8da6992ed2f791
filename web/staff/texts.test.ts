import { expect, test } from 'vitest'
import type { NotificationWords } from '@shared/answers'
import { changed, keywordsOf, keywordText, rowsOfKeywords } from './texts'

const text: NotificationWords = {
  updated: '', id: 't', event: 'failed', title: '标题', body: '内容', sms: true, wechat_template: 'T1', alipay_template: '',
  keywords: { wechat: { thing1: '{reason}' }, alipay: {} },
}

test('rows and keywords are one', () => {
  expect(rowsOfKeywords(text, 'wechat')).toEqual([{ name: 'thing1', text: '{reason}' }])
  expect(keywordsOf({ wechat: [{ name: ' thing1 ', text: '{reason} ' }, { name: '', text: '' }], alipay: [] })).toEqual(text.keywords)
  expect(rowsOfKeywords({ ...text, keywords: { keyword1: '{no}' } }, 'alipay')).toEqual([{ name: 'keyword1', text: '{no}' }])
  expect(rowsOfKeywords({ ...text, keywords: null }, 'alipay')).toEqual([])
})

test('only what was changed is proposed', () => {
  const { title, body, sms, wechat_template, alipay_template, keywords } = text
  const now = { title, body, sms, wechat_template, alipay_template, keywords }
  expect(changed(text, now)).toEqual({})
  expect(changed(text, { ...now, body: '新内容' })).toEqual({ body: '新内容' })
  expect(changed(text, { ...now, keywords: { wechat: { thing1: '{no}' }, alipay: {} } })).toEqual({ keywords: { wechat: { thing1: '{no}' }, alipay: {} } })
})

test('a cell tells the templates', () => {
  expect(keywordText(text)).toBe('微信模板 T1（1 个关键词）')
  expect(keywordText({ ...text, wechat_template: '' })).toBe('不发')
})
