import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'
import { texts } from './scripts/texts.mjs'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// The patients' page shows the name of who comes before its styles are there: they
// stand behind what is shown then, and hold back only what comes after them.
const lateStyles: Plugin = {
  name: 'late-styles',
  transformIndexHtml: {
    order: 'post',
    handler(html, { filename }) {
      if (filename !== here('./index.html')) return html
      const links = html.match(/^\s*<link rel="stylesheet"[^>]*>\n/gm) ?? []
      return links.reduce((text, link) => text.replace(link, ''), html).replace('</body>', `${links.join('')}</body>`)
    },
  },
}

const base = new RegExp([
  'node_modules/(@vue|vue-router|pocketbase)/', '/web/shared/(api|chunks|format|i18n|idle|mistakes|session|storage|useTask)\\.ts', '/shared/Fresh\\.vue',
].join('|'))

// One build for all pages. The texts are those of the server, so that a
// sentence exists once per language.
export default defineConfig({
  root: here('.'),
  plugins: [texts(), vue(), lateStyles],
  resolve: { alias: { '@texts': here('../internal/i18n'), '@shared': here('./shared'), '@vouchers': here('../internal/voucher/samples') } },
  server: { proxy: { '/api': 'http://127.0.0.1:8090' }, fs: { allow: [here('..')] } },
  build: {
    target: 'es2020',
    outDir: here('../pb_public/dist'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500, // the console's kit, on an intranet; the budget of the patient pages is in scripts/budget.mjs
    rolldownOptions: {
      input: { portal: here('./index.html'), staff: here('./staff/index.html'), kiosk: here('./kiosk/index.html') },
      // What every page begins with is one file: a browser asks for six things at a time, and one of them is who has come.
      output: { codeSplitting: { groups: [{ name: 'base', test: base }] } },
    },
  },
})
