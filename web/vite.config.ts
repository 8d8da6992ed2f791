import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// One build for all pages. The texts are those of the server, so that a
// sentence exists once per language.
export default defineConfig({
  root: here('.'),
  plugins: [vue()],
  resolve: { alias: { '@texts': here('../internal/i18n'), '@shared': here('./shared') } },
  server: { proxy: { '/api': 'http://127.0.0.1:8090' }, fs: { allow: [here('..')] } },
  build: {
    target: 'es2020',
    outDir: here('../pb_public/dist'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500, // the console's kit, on an intranet; the budget of the patient pages is in scripts/budget.mjs
    rollupOptions: { input: { portal: here('./index.html'), staff: here('./staff/index.html'), kiosk: here('./kiosk/index.html') } },
  },
})
