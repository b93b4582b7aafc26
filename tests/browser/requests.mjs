// What a page's scripts ask of the forum. Whatever is not as it should be ends it with status 1.
//
//   node requests.mjs ORIGIN PROTOCOL [FLAG...]
//
// PROTOCOL is the one that has to be spoken, as browsers name it. On standard input: JSON, {path:
// [status, body]}, what the forum says when it is asked directly.
import assert from 'node:assert/strict';
import { json } from 'node:stream/consumers';

import { launchChromium } from './chromium.mjs';

const [origin, protocol, ...flags] = process.argv.slice(2);
const expected = await json(process.stdin);

async function reads(page) {
  const answers = await page.evaluate(([paths, count]) => Promise.all(
    Array.from({ length: count }, () => paths).flat().map(async (path) => {
      const answer = await fetch(path, { cache: 'no-store' });
      return [path, answer.status, await answer.text()];
    })), [Object.keys(expected), 20]);
  for (const [path, status, body] of answers) {
    assert.deepEqual([status, body], expected[path], path);
  }
}

// Somebody who leaves a page, over and over: half of them before the answer, half in its middle.
async function cancels(page) {
  await page.evaluate(async () => {
    for (let round = 0; round < 4; round++) {
      await Promise.all(Array.from({ length: 50 }, async (_, i) => {
        const control = new AbortController();
        const asked = fetch('/api/posts/in-thread/1', {
          cache: 'no-store', signal: control.signal,
        });
        if (i % 2 === 0) {
          await asked;
        }
        control.abort();
        await asked.catch(() => {});
      }));
    }
  });
}

async function member(page) {
  await page.evaluate(async () => {
    const send = async (method, path, value, status) => {
      const answer = await fetch(`/api/2.0${path}`, {
        method, body: value && JSON.stringify(value), headers: { 'content-type': 'application/json' },
      });
      const body = await answer.text();
      if (answer.status !== status) {
        throw new Error(`${method} ${path}: ${answer.status} ${body}`);
      }
      return body && JSON.parse(body);
    };
    await send('POST', '/sessions', { username: 'marga', password: 'figs-and-dates' }, 201);
    const thread = await send('POST', '/threads', { category: 'lounge', title: 'By a page' }, 201);
    const post = await send('POST', `/threads/${thread.id}/posts`, { text: 'Dátes. '.repeat(1000) },
      201);
    await send('PATCH', `/posts/${post.id}`, { text: 'Figs.' }, 200);
    await send('PUT', `/posts/${post.id}/like`, undefined, 204);
    const [item] = (await send('GET', `/threads/${thread.id}/posts`, undefined, 200)).items;
    if (item.text !== 'Figs.' || item.likes !== 1) {
      throw new Error(JSON.stringify(item));
    }
    await send('DELETE', `/posts/${post.id}`, undefined, 204);
    await send('DELETE', '/sessions/current', undefined, 204);
  });
}

async function tooLarge(page) {
  const statuses = await page.evaluate(async () => {
    const body = new Blob([new Uint8Array(11 << 20)]);
    const send = async () => (await fetch('/api/2.0/threads', { method: 'POST', body })).status;
    return [await send(), await send()];
  });
  assert.deepEqual(statuses, [413, 413]);
}

const browser = await launchChromium(...flags);
try {
  // The forum's own pages run no scripts; ours is one of theirs without that rule.
  const context = await browser.newContext({ ignoreHTTPSErrors: true, bypassCSP: true });
  const page = await context.newPage();
  await page.goto(`${origin}/forum`);
  for (const scenario of [reads, cancels, member, tooLarge]) {
    console.log(scenario.name);
    await scenario(page);
  }
  const protocols = await page.evaluate(() => performance.getEntriesByType('resource')
    .filter((entry) => entry.responseEnd > 0 && entry.nextHopProtocol !== '')
    .map((entry) => entry.nextHopProtocol));
  assert.deepEqual(new Set(protocols), new Set([protocol]));
} finally {
  await browser.close();
}
