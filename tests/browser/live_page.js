// What runs in a page that talks: every 20 ms a message, of which it wants the echo, in order and byte
// for byte, and pushes of the server in between, in order as well.
class Conversation {
  constructor(path) {
    this.waiting = [];
    this.result = { sent: 0, echoed: 0, pushes: 0, wrong: 0, bytes: 0 };
    this.socket = new WebSocket(new URL(path, location.href.replace(/^http/, 'ws')));
    this.socket.binaryType = 'arraybuffer';
    this.opened = new Promise((resolve, reject) => {
      this.hello = resolve;
      this.socket.onerror = () => reject(new Error('the socket failed'));
    });
    this.closed = new Promise((resolve) => { this.socket.onclose = resolve; });
    this.socket.onmessage = ({ data }) => this.take(data);
  }

  start() {
    this.talking = setInterval(() => this.say(), 20);
  }

  // Texts of all lengths, every tenth message binary, every two hundredth of 300 KiB.
  say() {
    const number = this.result.sent;
    if (this.waiting.length > 500) {
      return; // echoes are held up; more would only be waiting
    }
    const length = number % 200 === 199 ? 300 * 1024 : (number * 997) % 8192;
    const binary = number % 10 === 9;
    const message = binary
      ? Uint8Array.from({ length }, (_, i) => (number * 31 + i) & 255).buffer
      : `${number} `.padEnd(length + 8, 'ä figs & dates ');
    this.waiting.push(message);
    this.socket.send(message);
    this.result.sent++;
    this.result.bytes += binary ? length : message.length;
  }

  take(data) {
    const said = typeof data === 'string' && data[0] === '{' ? JSON.parse(data) : {};
    if (said.server !== undefined) {
      this.hello(said.server);
    } else if (said.push !== undefined) {
      this.result.wrong += said.push === this.result.pushes ? 0 : 1;
      this.result.pushes++;
    } else if (said.pushed !== undefined) {
      this.counted(said);
    } else {
      this.result.wrong += Conversation.isSame(this.waiting.shift(), data) ? 0 : 1;
      this.result.echoed++;
    }
  }

  static isSame(one, other) {
    if (typeof one === 'string' || typeof other === 'string') {
      return one === other;
    }
    const [a, b] = [new Uint8Array(one), new Uint8Array(other)];
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  }

  // Everything that was said has been answered by the time the server has counted.
  async finish() {
    clearInterval(this.talking);
    const counts = new Promise((resolve) => { this.counted = resolve; });
    this.socket.send('count');
    const { echoed, pushed } = await Promise.race([counts, this.closed.then(() => ({}))]);
    this.socket.close(1000);
    const { code, wasClean } = await this.closed;
    return { ...this.result, server: { echoed, pushed }, code, wasClean };
  }
}

// An event after the other, each acknowledged a moment later, so that the next one comes.
class Listener {
  constructor(path, seen) {
    this.result = { events: 0, wrong: 0 };
    this.source = new EventSource(path);
    this.source.onmessage = async ({ lastEventId }) => {
      this.result.events++;
      this.result.wrong += Number(lastEventId) === this.result.events ? 0 : 1;
      await new Promise((resolve) => { setTimeout(resolve, 100); });
      await fetch(`${seen}?id=${lastEventId}`, { method: 'POST' });
    };
    this.source.onerror = () => { this.result.wrong++; };
  }

  finish() {
    this.source.close();
    return this.result;
  }
}

async function poll(path, ms) {
  const began = performance.now();
  const answer = await fetch(`${path}?ms=${ms}`);
  return { status: answer.status, body: await answer.text(), ms: performance.now() - began };
}
