// Node's own clients in front of the forum. One scenario a run; whatever is not as it should be ends it
// with status 1.
//
//   node node_http2.mjs SCENARIO ORIGIN
//
// On standard input: JSON, {path: [status, body]}, what the forum says when it is asked directly.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

const [scenario, origin] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const nextLine = async () => (await lines.next()).value;
const expected = JSON.parse(await nextLine());
const { HTTP2_HEADER_STATUS: STATUS, NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = http2.constants;

async function connect(options = {}) {
  const session = http2.connect(origin, { rejectUnauthorized: false, ...options });
  await once(session, 'remoteSettings');
  return session;
}

async function answerOf(stream) {
  const [fields] = await once(stream, 'response');
  return { status: fields[STATUS], fields, body: await text(stream) };
}

// A body that is a list is written piece by piece, with a turn of the loop between them.
async function ask(session, path, { method = 'GET', body, fields = {} } = {}) {
  const stream = session.request({ ':path': path, ':method': method, ...fields },
    { endStream: body === undefined });
  const answer = answerOf(stream);
  for (const piece of [body ?? []].flat()) {
    stream.write(piece);
    await new Promise(setImmediate);
  }
  stream.end();
  return answer;
}

async function checkReads(session) {
  for (const [path, [status, body]] of Object.entries(expected)) {
    const answer = await ask(session, path);
    assert.deepEqual([answer.status, answer.body], [status, body], path);
  }
}

// --- scenarios

async function reads() {
  const session = await connect();
  await checkReads(session);
  session.close();
}

async function heads() {
  const session = await connect();
  for (const [path, [status, body]] of Object.entries(expected)) {
    const answer = await ask(session, path, { method: 'HEAD' });
    assert.deepEqual([answer.status, answer.body], [status, ''], path);
    if (status === 200) {
      assert.equal(answer.fields['content-length'], String(Buffer.byteLength(body)), path);
    }
  }
  session.close();
}

// More than the proxy allows at once: the client waits with those.
async function crowd() {
  const session = await connect();
  assert.ok(session.remoteSettings.maxConcurrentStreams < 500);
  const paths = Object.keys(expected);
  await Promise.all(Array.from({ length: 500 }, async (_, i) => {
    const path = paths[i % paths.length];
    const answer = await ask(session, path);
    assert.deepEqual([answer.status, answer.body], expected[path], path);
  }));
  session.close();
}

async function member() {
  const session = await connect();
  let cookie;
  const send = async (method, path, value, status) => {
    const body = value && JSON.stringify(value).match(/[^]{1,100}/gu);
    const answer = await ask(session, `/api/2.0${path}`, {
      method, body, fields: { 'content-type': 'application/json', ...(cookie && { cookie }) },
    });
    assert.equal(answer.status, status, `${method} ${path}: ${answer.body}`);
    cookie ??= answer.fields['set-cookie']?.[0].split(';')[0];
    return answer.body && JSON.parse(answer.body);
  };
  await send('POST', '/sessions', { username: 'moss', password: 'figs-and-dates' }, 201);
  const thread = await send('POST', '/threads', { category: 'lounge', title: 'Asked by Node' }, 201);
  const posts = `/threads/${thread.id}/posts`;
  const post = await send('POST', posts, { text: 'Dates, ünd figs. '.repeat(500) }, 201);
  await send('PATCH', `/posts/${post.id}`, { text: 'Figs.' }, 200);
  await send('PUT', `/posts/${post.id}/like`, undefined, 204);
  const [item] = (await send('GET', posts, undefined, 200)).items;
  assert.deepEqual([item.text, item.likes], ['Figs.', 1]);
  await send('DELETE', `/posts/${post.id}`, undefined, 204);
  await send('DELETE', '/sessions/current', undefined, 204);
  session.close();
}

// Somebody who leaves a page, over and over.
async function cancels() {
  const session = await connect();
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: 60 }, async (_, i) => {
      const stream = session.request({ ':path': '/api/posts/in-thread/1' });
      if (i % 2 === 0) {
        await once(stream, 'response');
      }
      stream.close(NGHTTP2_CANCEL);
      stream.resume(); // what has come already
      await once(stream, 'close');
    }));
    await checkReads(session);
  }
  session.close();
}

async function settings() {
  const session = await connect({ settings: { initialWindowSize: 10, enablePush: false } });
  await checkReads(session);
  for (const changed of [{ initialWindowSize: 1 << 20 }, { headerTableSize: 0 },
    { headerTableSize: 65536 }, { maxFrameSize: 1 << 20 }, { initialWindowSize: 0 }]) {
    await new Promise((resolve) => { session.settings(changed, resolve); });
    await new Promise((resolve) => { session.ping(resolve); });
    if (changed.initialWindowSize !== 0) {
      await checkReads(session);
    }
  }
  const held = ask(session, '/api/users');
  await new Promise((resolve) => { session.settings({ initialWindowSize: 65535 }, resolve); });
  assert.equal((await held).body, expected['/api/users'][1]);
  session.close();
}

async function continues() {
  const session = await connect();
  const body = JSON.stringify({ username: 'pilu', password: 'figs-and-dates' });
  const stream = session.request({
    ':path': '/api/2.0/sessions', ':method': 'POST', expect: '100-continue',
    'content-type': 'application/json',
  });
  const answer = answerOf(stream);
  await once(stream, 'continue');
  stream.end(body);
  assert.equal((await answer).status, 201);
  session.close();
}

async function tooLarge() {
  const session = await connect();
  for (const fields of [{ 'content-length': String(11 << 20) }, {}]) {
    const stream = session.request({ ':path': '/api/2.0/threads', ':method': 'POST', ...fields });
    const answer = answerOf(stream);
    const closed = once(stream, 'close');
    Readable.from(Array.from({ length: 11 << 4 }, () => Buffer.alloc(1 << 16))).pipe(stream);
    assert.equal((await answer).status, 413);
    await closed;
    assert.equal(stream.rstCode, NGHTTP2_NO_ERROR);
    await checkReads(session);
  }
  session.close();
}

// Says when the session is open, and goes on with it when it is told to.
async function goesOn() {
  const session = await connect();
  await checkReads(session);
  for (let i = 0; i < 3; i++) {
    console.log('open');
    await nextLine();
    await checkReads(session);
  }
  session.close();
}

async function keptHttp1() {
  const library = origin.startsWith('https:') ? https : http;
  const agent = new library.Agent({ keepAlive: true, maxSockets: 5, rejectUnauthorized: false });
  let connections = 0;
  await Promise.all(Array.from({ length: 20 }, () => Object.entries(expected)).flat()
    .map(async ([path, [status, body]]) => {
      const request = library.get(origin + path, { agent });
      request.on('socket', (socket) => { connections += socket.counted ? 0 : 1; socket.counted = true; });
      const [answer] = await once(request, 'response');
      assert.deepEqual([answer.statusCode, await text(answer)], [status, body], path);
    }));
  assert.equal(connections, 5);
  agent.destroy();
}

async function fetches() {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  await Promise.all(Array.from({ length: 20 }, () => Object.entries(expected)).flat()
    .map(async ([path, [status, body]]) => {
      const answer = await fetch(origin + path);
      assert.deepEqual([answer.status, await answer.text()], [status, body], path);
    }));
  const pieces = ['{"username":"pilu",', '"password":"figs-and-dates"}']
    .map((piece) => new TextEncoder().encode(piece));
  // ReadableStream.from is newer than the node of Debian 12.
  const body = new ReadableStream({
    pull(controller) {
      controller.enqueue(pieces.shift());
      if (pieces.length === 0) controller.close();
    },
  });
  const answer = await fetch(`${origin}/api/2.0/sessions`, {
    method: 'POST', body, duplex: 'half',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(answer.status, 201);
  await answer.text();
}

const scenarios = { reads, heads, crowd, member, cancels, settings, continues, tooLarge, goesOn,
  keptHttp1, fetches };
await scenarios[scenario]();
process.exit(0); // fetch keeps its connections open for a while
