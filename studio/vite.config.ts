/**
 * Builds the page, twice: `dist/studio/page/` for the server, with hashed assets; and with
 * `--mode report` one file, `dist/studio/report/index.html`, into which a finished run is put.
 */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => ({
  root: here('.'),
  base: './',
  publicDir: false,
  resolve: { alias: { 'loadpath/studio': here('../src/studio/browser.ts') } },
  plugins: mode === 'report' ? [oneFile()] : [],
  build: {
    target: 'es2022',
    outDir: here(mode === 'report' ? '../dist/studio/report' : '../dist/studio/page'),
    emptyOutDir: true,
    assetsInlineLimit: mode === 'report' ? 1_000_000 : 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_000,
    cssCodeSplit: mode !== 'report',
    rolldownOptions: {
      output: { codeSplitting: mode !== 'report' },
      // How long which plugin took is nothing to warn of.
      checks: { pluginTimings: false },
    },
  },
}));

/**
 * Puts script, style and icon into the HTML, so that it opens from a disk: nothing else loads from
 * a `file:` address. The policy lets only this script run, by its hash.
 */
function oneFile(): Plugin {
  return {
    name: 'one-file',
    enforce: 'post',
    generateBundle: {
      // After Vite itself: until then, its own placeholders stand in the code.
      order: 'post',
      handler(_options, bundle) {
        let script = '';
        let style = '';
        let html = '';
        let icon = '';
        for (const [name, file] of Object.entries(bundle)) {
          if (file.type === 'chunk') script += file.code;
          else if (name.endsWith('.css')) style += String(file.source);
          else if (name.endsWith('.html')) html = String(file.source);
          else if (name.endsWith('.svg')) icon = Buffer.from(file.source).toString('base64');
          delete bundle[name];
        }
        // An end tag within a string must not end the element.
        const code = script.replaceAll('</script', '<\\/script').replaceAll('<!--', '\\x3C!--');
        const hash = createHash('sha256').update(code).digest('base64');
        const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; worker-src blob:`;
        const page = html
          .replace(/\s*<script type="module"[^>]*><\/script>/, '')
          .replace(/\s*<link rel="stylesheet"[^>]*>/, '')
          .replace(
            /(<link rel="icon" href=")[^"]*/,
            (_, start) => `${start}data:image/svg+xml;base64,${icon}`,
          )
          .replace(
            '<meta charset="utf-8" />',
            () =>
              `<meta charset="utf-8" />\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
          )
          .replace('</head>', () => `<style>${style}</style>\n  </head>`)
          .replace(
            '</body>',
            () => `<!--run-->\n    <script type="module">${code}</script>\n  </body>`,
          );
        this.emitFile({ type: 'asset', fileName: 'index.html', source: page });
      },
    },
  };
}
