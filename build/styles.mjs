import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile, Logger } from 'sass';

// Compiles src/ui/styles into the committed src/ui/styles.css and puts a copy beside the emitted JavaScript, so that a start from
// source needs no Sass. With --check it writes nothing and exits 1 when the committed file is not what the sources give.

const place = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const committed = place('src/ui/styles.css');
const emitted = place('dist/src/ui/styles.css');

/** CSS without what loads images or fonts: pages load one stylesheet and nothing else. */
function withoutLoads(css) {
  return withoutBlocks(withoutBlocks(css, '@supports(mask:'), '@font-face')
    .replaceAll(/[\w-]+:[^;{}]*url\([^;{}]*/g, '')
    .replaceAll(/;+(?=[;}])|(?<=\{);+/g, '');
}

function withoutBlocks(css, opening) {
  const start = css.indexOf(opening);
  if (start === -1) return css;
  let depth = 0;
  for (let end = css.indexOf('{', start); end < css.length; end += 1) {
    if (css[end] === '{') depth += 1;
    if (css[end] === '}') depth -= 1;
    if (depth === 0) return withoutBlocks(css.slice(0, start) + css.slice(end + 1), opening);
  }
  throw new Error(`A block of the stylesheet does not end: ${opening}`);
}

const { css } = compile(place('src/ui/styles/index.scss'), {
  style: 'compressed',
  loadPaths: [place('node_modules/@uswds/uswds/packages')],
  quietDeps: true,
  logger: Logger.silent,
});
const styles = `${withoutLoads(css)}\n`;
const load = /.{0,80}url\(.{0,40}/.exec(styles);
if (load !== null) throw new Error(`The stylesheet loads something: ${load[0]}`);

if (process.argv.includes('--check')) {
  if (readFileSync(committed, 'utf8') !== styles) {
    process.stderr.write('src/ui/styles.css is not what src/ui/styles gives. Run: node build/styles.mjs\n');
    process.exitCode = 1;
  }
} else {
  writeFileSync(committed, styles);
  mkdirSync(dirname(emitted), { recursive: true });
  copyFileSync(committed, emitted);
  for (const script of ['show-password.js', 'forget-form.js', 'shared-tabs.js', 'live.js']) {
    copyFileSync(place(`src/ui/${script}`), place(`dist/src/ui/${script}`));
  }
}
