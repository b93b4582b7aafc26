// Node's client of HTTP/2 with a large body: downloads to standard output, or uploads a file and says
// what the answer is.
//
//   node node_transfer.mjs download|upload ORIGIN DOWNLOAD-PATH FILE
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import http2 from 'node:http2';
import { pipeline } from 'node:stream/promises';

const [what, origin, path, file] = process.argv.slice(2);
const session = http2.connect(origin, {
  rejectUnauthorized: false, settings: { initialWindowSize: 1 << 20 },
});
if (what === 'download') {
  const stream = session.request({ ':path': path });
  await pipeline(stream, process.stdout, { end: false });
} else {
  const stream = session.request({ ':path': '/upload', ':method': 'POST' },
    { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'here' }));
  const sent = pipeline(createReadStream(file), stream, { end: true });
  const [fields] = await once(stream, 'response');
  stream.pipe(process.stdout);
  await sent;
  if (fields[':status'] !== 200) {
    process.exitCode = 1;
  }
}
session.close();
