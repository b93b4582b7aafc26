// A browser with a large body: downloads it to a file, or uploads a file from a page. Says as JSON how
// many bytes of which SHA-256 came where they should.
//
//   node transfer.mjs download|upload ORIGIN DOWNLOAD-PATH FILE
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

import { launchChromium } from './chromium.mjs';

const [what, origin, path, file] = process.argv.slice(2);
const minute = 60_000;

async function digestOf(name) {
  const digest = createHash('sha256');
  let bytes = 0;
  for await (const piece of createReadStream(name)) {
    digest.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: digest.digest('hex') };
}

async function download(page) {
  const started = page.waitForEvent('download');
  await page.evaluate((address) => { location.href = address; }, path);
  return digestOf(await (await started).path());
}

async function upload(page) {
  await page.setContent('<input type=file>');
  await page.locator('input').setInputFiles(file);
  return page.evaluate(async () => {
    const body = document.querySelector('input').files[0];
    return (await fetch('/upload', { method: 'POST', body })).json();
  });
}

const browser = await launchChromium();
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(20 * minute);
  const page = await context.newPage();
  await page.goto(origin);
  console.log(JSON.stringify(await { download, upload }[what](page)));
} finally {
  await browser.close();
}
