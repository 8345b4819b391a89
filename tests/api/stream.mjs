// A client of /events.
import http from 'node:http';
import { LOOPBACK } from './server.mjs';

/** Opens a stream; gives {status, events (so far), wait(name, test), close}. */
export function stream(headers, query = 'topics=queue,status', more = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ ...LOOPBACK, path: `/api/v1/events?${query}`, headers: { ...headers, ...more }, agent: false }, (response) => {
      const events = [];
      const waiting = new Set();
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        rest += chunk;
        for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
          events.push(Object.fromEntries(rest.slice(0, end).split('\n').map((line) => line.split(/: ?(.*)/s).slice(0, 2))));
          rest = rest.slice(end + 2);
        }
        for (const look of waiting) look();
      });
      let ended = false;
      response.on('close', () => { ended = true; for (const look of waiting) look(); });
      const until = (find) => new Promise((done, fail) => {
        const timer = setTimeout(() => fail(new Error(`not seen in ${JSON.stringify(events)}`)), 30000);
        const look = () => {
          const found = find();
          if (!found) return;
          clearTimeout(timer);
          waiting.delete(look);
          done(found);
        };
        waiting.add(look);
        look();
      });
      resolve({ status: response.statusCode, response, events, wait: (test) => until(() => events.find(test)), end: () => until(() => ended), close: () => request.destroy() });
    });
    request.on('error', reject);
    request.end();
  });
}
