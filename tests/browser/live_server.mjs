// A server of WebSockets (ws), of events and of long polls.
//
//   node live_server.mjs NAME
//
// Prints its port. A socket hears who serves it, gets back every message as it was, and a push each
// PUSH_MS. At its word "count" pushes end, and it hears how much there was. An event follows when the
// one before has been acknowledged, so that whoever holds one back gets no other. A poll is answered
// when it is time.
import http from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { WebSocketServer } = createRequire(join(process.env.BROWSER_MODULES, '/'))('ws');
const [name] = process.argv.slice(2);
const PUSH_MS = 40;
let events; // the answer that carries them
let eventCount = 0;

function sendEvent() {
  eventCount++;
  events.write(`id: ${eventCount}\ndata: ${name}\n\n`);
}

const server = http.createServer((request, answer) => {
  const url = new URL(request.url, 'http://live');
  if (url.pathname === '/live/events') {
    answer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    events = answer;
    sendEvent();
  } else if (url.pathname === '/live/seen') {
    answer.writeHead(Number(url.searchParams.get('id')) === eventCount ? 204 : 409).end();
    sendEvent();
  } else if (url.pathname === '/live/poll') {
    setTimeout(() => answer.end(name), Number(url.searchParams.get('ms')));
  } else {
    answer.writeHead(200, { 'content-type': 'text/html' }).end(`<title>${name}</title>`);
  }
});

new WebSocketServer({ server, path: '/live/socket' }).on('connection', (socket) => {
  let echoed = 0;
  let pushed = 0;
  socket.send(JSON.stringify({ server: name }));
  const pushing = setInterval(() => {
    socket.send(JSON.stringify({ push: pushed }));
    pushed++;
  }, PUSH_MS);
  socket.on('message', (data, isBinary) => {
    if (!isBinary && data.toString() === 'count') {
      clearInterval(pushing);
      socket.send(JSON.stringify({ echoed, pushed }));
      return;
    }
    echoed++;
    socket.send(data, { binary: isBinary });
  });
  socket.on('close', () => clearInterval(pushing));
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit(0)); // no longer than whoever started us
