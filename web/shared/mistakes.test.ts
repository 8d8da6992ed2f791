import { afterEach, expect, test } from 'vitest'
import { nextTick } from 'vue'
import { firstMistake, watchForms } from './mistakes'

function form(inside: string): HTMLFormElement {
  document.body.innerHTML = `<div id="app"><form>${inside}</form></div>`
  return document.querySelector('form')!
}
afterEach(() => { document.body.innerHTML = '' })

const GOOD = '<input id="good" aria-invalid="false"><p class="error" role="status"></p>'

test.each([
  ['a field that says so', `${GOOD}<input id="bad" aria-invalid="true">`, 'bad'],
  ['the first of several', '<input id="bad" aria-invalid="true"><input id="later" aria-invalid="true">', 'bad'],
  ['a choice', `${GOOD}<fieldset><input id="bad" type="radio"><input type="radio"><p><span class="error">choose</span></p></fieldset>`, 'bad'],
  ['a choice whose first is closed', '<fieldset><input type="radio" disabled><input id="bad" type="radio"><span class="error">x</span></fieldset>', 'bad'],
  ['a box that its sentence describes', `${GOOD}<input id="bad" type="checkbox" aria-describedby="why"><p id="why"><span class="error">no</span></p>`, 'bad'],
  ['a list', `${GOOD}<select id="bad" aria-invalid="true"></select>`, 'bad'],
])('the first mistake is %s', (_name, inside, id) => {
  expect(firstMistake(form(inside))?.control?.id).toBe(id)
})

test('an alert without a field is shown itself', () => {
  expect(firstMistake(form(`${GOOD}<p role="alert">no bill is chosen</p>`))).toMatchObject({ control: null, at: { textContent: 'no bill is chosen' } })
})

test('a form without a mistake is left alone', () => {
  expect(firstMistake(form(`${GOOD}<p role="alert"></p>`))).toBeNull()
})

test('whatever form is sent, the focus goes to what is wrong in it', async () => {
  watchForms()
  const f = form(`${GOOD}<input id="bad">`)
  f.addEventListener('submit', (e) => {
    e.preventDefault()
    document.querySelector('#bad')?.setAttribute('aria-invalid', 'true')
  })
  f.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))
  await nextTick()
  expect(document.activeElement?.id).toBe('bad')
})
