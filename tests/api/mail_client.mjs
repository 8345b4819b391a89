// A mail program: one line-based dialogue with a port of this machine.
import net from 'node:net';

/**
 * {say(text), next(), closed, end()}: say sends a line and gives the next line of the answer; next waits for one.
 * localAddress: from where, another one of the loopback.
 */
export function connect(port, localAddress = '127.0.0.1') {
  const socket = net.connect({ port: Number(port), host: '127.0.0.1', localAddress });
  const lines = [];
  const waiting = [];
  let rest = '';
  const give = (line) => (waiting.length > 0 ? waiting.shift()(line) : lines.push(line));
  socket.setEncoding('utf8').on('data', (chunk) => {
    rest += chunk;
    for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
      give(rest.slice(0, end));
      rest = rest.slice(end + 2);
    }
  });
  const closed = new Promise((resolve) => {
    socket.on('close', () => {
      give(null);
      resolve();
    });
  });
  socket.on('error', () => {});
  const next = () => (lines.length > 0 ? Promise.resolve(lines.shift()) : new Promise((resolve) => waiting.push(resolve)));
  return {
    closed,
    next,
    say(text) {
      socket.write(`${text}\r\n`);
      return next();
    },
    end: () => socket.destroy(),
  };
}

const plain = (user, password) => Buffer.from(`\0${user}\0${password}`).toString('base64');

/** A session behind the answer to signing in, which is in `answer`. */
export async function signInto(protocol, endpoints, user, password, localAddress) {
  const names = { imap: 'IMAP_PORT', pop3: 'POP3_PORT', submission: 'SUBMISSION_PORT', managesieve: 'SIEVE_PORT' };
  const session = connect(endpoints[names[protocol]], localAddress);
  await session.next();
  if (protocol === 'imap') session.answer = await session.say(`a login ${user} "${password}"`);
  if (protocol === 'pop3') session.answer = await session.say(`AUTH PLAIN ${plain(user, password)}`);
  if (protocol === 'submission') {
    for (let line = await session.say('EHLO client.example'); !/^250 /.test(line); ) line = await session.next();
    session.answer = await session.say(`AUTH PLAIN ${plain(user, password)}`);
  }
  if (protocol === 'managesieve') {
    for (let line = await session.next(); !/^OK/.test(line); ) line = await session.next();
    session.answer = await session.say(`AUTHENTICATE "PLAIN" "${plain(user, password)}"`);
  }
  return session;
}

/** Whether this password signs in; the session is closed. */
export async function signsInto(protocol, endpoints, user, password, localAddress) {
  const session = await signInto(protocol, endpoints, user, password, localAddress);
  session.end();
  return /^(a OK|\+OK|235|OK)/.test(session.answer);
}
