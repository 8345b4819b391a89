// Submits mail as a client does: SMTP with AUTH.
import assert from 'node:assert/strict';
import net from 'node:net';

/** Submits one message through `port` of this machine and gives the queue id of the answer. as: another sender than `from`. */
export async function submitMail({ port, from, as = from, password, to, subject, text = 'hello' }) {
  const socket = net.connect(Number(port), '127.0.0.1');
  const lines = (async function* read() {
    let rest = '';
    for await (const chunk of socket.setEncoding('utf8')) {
      rest += chunk;
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (line[3] !== '-') yield line;
      }
    }
  })();
  const say = async (text, code) => {
    if (text !== null) socket.write(`${text}\r\n`);
    const { value } = await lines.next();
    assert.ok(value?.startsWith(code), `${text}: ${value}`);
    return value;
  };
  try {
    await say(null, '220');
    await say('EHLO client.example', '250');
    await say(`AUTH PLAIN ${Buffer.from(`\0${from}\0${password}`).toString('base64')}`, '235');
    await say(`MAIL FROM:<${as}>`, '250');
    for (const one of to) await say(`RCPT TO:<${one}>`, '250');
    await say('DATA', '354');
    const answer = await say(`From: ${as}\r\nTo: ${to[0]}\r\nSubject: ${subject}\r\n\r\n${text}\r\n.`, '250');
    await say('QUIT', '221');
    return /queued as (\w+)/.exec(answer)[1];
  } finally {
    socket.destroy();
  }
}
