import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const page = (name: string) => fileURLToPath(new URL(name, import.meta.url));

// The gateway serves dist/ as it is: watch.html at / and /watch/{channel}, studio.html at /studio/, and
// everything under /assets/ for ever (the names carry hashes). Its content security policy allows neither
// inline code nor data: addresses, so nothing may be inlined here.
export default defineConfig({
  base: '/',
  publicDir: page('public'),
  plugins: [svelte()],
  build: {
    outDir: page('dist'),
    emptyOutDir: true,
    target: ['chrome103', 'firefox108', 'safari15.4'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      input: { watch: page('watch.html'), studio: page('studio.html') },
    },
  },
  server: {
    // `npm run dev` beside a running server; COMPERE_URL says where that is.
    proxy: { '/v1': process.env.COMPERE_URL ?? 'http://127.0.0.1:8080' },
  },
});
