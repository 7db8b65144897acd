import { defineConfig } from 'vite';

// The build is committed in ../dist and embedded by Go: so it has no date, no
// path of a machine, and the same sources give the same bytes.
export default defineConfig({
  base: '/studio/',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'chrome120',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the policy allows no data: scripts and styles
    reportCompressedSize: false,
    manifest: true, // says what the first load is, for scripts/size.mjs
  },
  server: {
    fs: { allow: ['../..'] }, // the layout script stands beside the templates
    // npm run dev shows the sources, with a daemon behind them.
    proxy: { '^/(?!studio/(?!icon|frame|remote)|@).*': { target: process.env.PICTIFYD_URL ?? 'http://127.0.0.1:8080' } },
  },
});
