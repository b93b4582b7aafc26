// One visitor's way through the forum, in a real browser: registers, opens a thread, replies, edits,
// likes, searches, logs out and in again. Any complaint of the browser, any answer from 400 on and
// any page that is not what was expected ends it with status 1.
//
//   node forum.mjs ORIGIN FOLDER NAME [FLAG...]
//
// FOLDER gets the screenshots, on a desk and on a phone. NAME has to be new to the forum. FLAGs are the
// browser's.
import assert from 'node:assert/strict';
import { join } from 'node:path';

import { launchChromium } from './chromium.mjs';

const [origin, folder, name, ...flags] = process.argv.slice(2);
const password = 'a long enough password';
const sizes = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const complaints = [];

function listen(page) {
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      complaints.push(`console: ${message.text()} (${message.location().url})`);
    }
  });
  page.on('pageerror', (error) => complaints.push(`script: ${error}`));
  page.on('requestfailed', (request) =>
    complaints.push(`failed: ${request.url()} ${request.failure().errorText}`));
  page.on('response', (response) => {
    // A browser asks for its icon by itself; the forum has none.
    if (response.status() >= 400 && !response.url().endsWith('/favicon.ico')) {
      complaints.push(`${response.status()}: ${response.url()}`);
    }
  });
}

async function shoot(page, what) {
  for (const [size, pixels] of Object.entries(sizes)) {
    await page.setViewportSize(pixels);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(overflow, 0, `${what} is wider than the ${size}`);
    await page.screenshot({ path: join(folder, `${what}-${size}.png`) });
  }
  await page.setViewportSize(sizes.desk);
}

async function fill(page, values) {
  for (const [field, value] of Object.entries(values)) {
    await page.locator(`main form [name="${field}"]`).first().fill(value);
  }
}

async function submit(page) {
  await page.locator('main form.main button').last().click();
}

async function see(page, text) {
  await page.getByText(text, { exact: false }).first().waitFor();
}

// A service that cannot learn a name in time shows the page without it, and the next one with it.
async function seeName(page) {
  const greeting = page.getByText(`Logged in as ${name}`);
  for (const end = Date.now() + 20_000; !await greeting.isVisible();) {
    assert.ok(Date.now() < end, `${name} is not called by name`);
    await page.reload();
  }
}

const isLoggedIn = (page) => page.getByText(`Logged in as ${name}`).isVisible();

async function logOut(page) {
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('link', { name: 'Register' }).waitFor();
  assert.equal(await isLoggedIn(page), false);
}

async function register(page) {
  await page.goto(`${origin}/forum`);
  await shoot(page, 'front');
  await page.getByRole('link', { name: 'Register' }).click();
  await fill(page, { username: name, name: `${name} <b>the bold</b>`, password });
  await shoot(page, 'register');
  await submit(page);
  await page.getByRole('button', { name: 'Log out' }).waitFor();
  await seeName(page);
}

async function logIn(page) {
  await page.getByRole('link', { name: 'Log in' }).click();
  await fill(page, { username: name, password });
  await submit(page);
  await page.getByRole('button', { name: 'Log out' }).waitFor();
  await seeName(page);
}

async function openThread(page, title) {
  await page.locator('main a[href^="/forum/c/"]').first().click();
  await shoot(page, 'category');
  await page.locator('main a[href$="/new"]').first().click();
  await fill(page, { title });
  if (await page.locator('main form [name="text"]').count() > 0) {
    await fill(page, { text: `What ${name} began with.` });
  }
  await submit(page);
  await page.waitForURL(/\/forum\/t\/\d+/);
  assert.equal(await page.locator('h1').innerText(), title);
}

async function talk(page) {
  const said = `Figs keep in ${name}'s cellar. <script>alert(1)</script>`;
  await fill(page, { text: said });
  await submit(page);
  await see(page, said);
  const article = page.locator('article', { hasText: said });
  await article.getByRole('button', { name: 'Like' }).click();
  await page.locator('article', { hasText: said }).getByText('1 like').waitFor();

  await page.locator('article', { hasText: said }).getByRole('link', { name: 'Edit' }).click();
  const word = `quince${name}`;
  await fill(page, { text: `Rather ${word} than figs.` });
  await shoot(page, 'edit');
  await submit(page);
  await see(page, `Rather ${word} than figs.`);
  await see(page, 'edited');
  await shoot(page, 'thread');
  return word;
}

// What was said a moment ago may take that moment to be found.
async function search(page, word) {
  await page.getByRole('link', { name: 'Search' }).click();
  for (const end = Date.now() + 20_000; ; ) {
    await page.locator('main form [name="q"]').fill(word);
    await page.locator('main form button').click();
    await page.waitForURL(/[?&]q=/);
    if (await page.locator('article', { hasText: word }).count() === 1) {
      break;
    }
    assert.ok(Date.now() < end, `${word} is not found`);
  }
  await shoot(page, 'search');
  await page.getByRole('link', { name: 'To its thread' }).click();
  await see(page, word);
}

async function profile(page) {
  await page.getByRole('link', { name, exact: true }).first().click();
  await see(page, '<b>the bold</b>');
  await shoot(page, 'profile');
}

const browser = await launchChromium(...flags);
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: sizes.desk });
  const page = await context.newPage();
  listen(page);
  await register(page);
  await logOut(page);
  await logIn(page);
  await openThread(page, `Cellars & "figs" of ${name}`);
  const word = await talk(page);
  await search(page, word);
  await profile(page);
  await logOut(page);
  assert.deepEqual(complaints, []);
} catch (error) {
  console.error(error.message, '\n', complaints.join('\n'));
  process.exitCode = 1;
} finally {
  await browser.close();
}
