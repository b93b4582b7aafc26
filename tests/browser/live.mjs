// Two browsers talk over WebSockets through the proxy, for a while: one that speaks HTTP/2, over TLS and
// on the plain port, and one that speaks no HTTP/2, over TLS. The first hears events and polls, too.
//
//   node live.mjs TLS-ORIGIN PLAIN-ORIGIN SECONDS
//
// At each quarter of the time, and when there has been talk since the last one, it prints which servers
// new sockets get, as JSON, and waits for a line. At the end it prints what there was.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { launchChromium } from './chromium.mjs';

const [tls, plain, seconds] = process.argv.slice(2);
const script = readFileSync(fileURLToPath(new URL('live_page.js', import.meta.url)), 'utf8');
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const began = Date.now();
const QUARTERS = 3;
const POLL_MS = Math.min(25_000, Number(seconds) * 500);
const MESSAGES = 20; // of both sides, between two quarters, at the least

const waitUntil = (at) => new Promise((resolve) => { setTimeout(resolve, at - Date.now()); });

async function openPage(browser, origin) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(`${origin}/live/page`);
  await page.addScriptTag({ content: script });
  await page.evaluate(async () => {
    window.conversation = new Conversation('/live/socket');
    await window.conversation.opened;
    window.conversation.start();
  });
  return page;
}

// A page that is told that its socket has failed or closed would wait for ever.
async function waitForTalk(page) {
  await page.evaluate(async (count) => {
    const { result, socket } = window.conversation;
    const { echoed, pushes } = result;
    while (result.echoed < echoed + count || result.pushes < pushes + count) {
      if (socket.readyState !== WebSocket.OPEN) {
        throw new Error(`the socket is gone: ${JSON.stringify(result)}`);
      }
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
  }, MESSAGES);
}

const newSocket = (page) => page.evaluate(async () => {
  const another = new Conversation('/live/socket');
  const server = await another.opened;
  await another.finish();
  return server;
});

async function talk(pages) {
  await pages[0].evaluate((ms) => {
    window.listener = new Listener('/live/events', '/live/seen');
    window.polled = poll('/live/poll', ms);
  }, POLL_MS);
  for (let quarter = 1; quarter <= QUARTERS; quarter++) {
    await waitUntil(began + (seconds * 1000 * quarter) / (QUARTERS + 1));
    await Promise.all(pages.map(waitForTalk));
    console.log(JSON.stringify(await Promise.all(pages.map(newSocket))));
    await lines.next();
  }
  await waitUntil(began + seconds * 1000);
  await Promise.all(pages.map(waitForTalk));
  const conversations = await Promise.all(
    pages.map((page) => page.evaluate(() => window.conversation.finish())));
  const [events, polled] = await pages[0].evaluate(
    async () => [window.listener.finish(), await window.polled]);
  console.log(JSON.stringify({ conversations, events, polled, pollMs: POLL_MS }));
}

const browsers = await Promise.all([launchChromium(), launchChromium('--disable-http2')]);
try {
  await talk(await Promise.all([openPage(browsers[0], tls), openPage(browsers[0], plain),
    openPage(browsers[1], tls)]));
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
}
process.exit(0);
