// Files of accounts: what is read and written, what is refused, and what an import does.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { signsInto } from './mail_client.mjs';
import { bearer, checkAnswer, endpoints, local, makeToken, makeWorld, nobody, PASSWORD, run, signIn } from './server.mjs';

const ACCOUNT = '/accounts/{address}';
const OPERATION = '/operations/{id}';
let world;
before(async () => { world = await makeWorld('import'); });

const CSV = { 'Content-Type': 'text/csv' };
const LINES = { 'Content-Type': 'application/jsonl' };
const csv = (...rows) => rows.map((row) => `${row}\r\n`).join('');
const lines = (...objects) => objects.map((one) => `${JSON.stringify(one)}\n`).join('');

const dryRun = (who, body, headers = CSV, query = '') => who.call('POST', `/import?dry_run=true${query}`, '/import', { headers, body });

/** Imports and waits; gives the operation at its end. */
async function importFile(who, body, headers = CSV, query = '') {
  let operation = await who.call('POST', `/import${query}`, '/import', { status: 202, headers, body });
  assert.equal(who.last.headers.location, `/api/v1/operations/${operation.id}`);
  for (let i = 0; operation.state === 'running'; i++) {
    assert.ok(i < 300, 'it ends');
    await new Promise((resolve) => setTimeout(resolve, 100));
    operation = await who.call('GET', `/operations/${operation.id}`, OPERATION);
  }
  return operation;
}

const linesOf = async (who, id, query = '') => (await who.call('GET', `/operations/${id}/lines?limit=200${query}`, `${OPERATION}/lines`)).data;
const counts = (one) => [one.created, one.updated, one.unchanged, one.failed];
const faults = (errors) => errors.map((e) => [e.line, e.cell ?? e.pointer, e.code]);
const account = (address) => local.call('GET', `/accounts/${address}`, ACCOUNT);

async function exportFile(who, body) {
  const answer = await who.send('POST', '/api/v1/export', { body });
  assert.equal(answer.status, 200, answer.text);
  if (answer.text !== '') checkAnswer('/export', 'POST', answer); // JSON Lines of no account have no byte
  return answer;
}

test('a file makes accounts; those without a password get one-time links, and only its owner sees them', async () => {
  const d = world.domain;
  const file = csv('address,name,password,quota,addresses', `Ana@${d},Ana Reis,,5000000000,ana.reis@${d} a.r@${d}`, `joe@${d},"Joe ""J"" Doe, jr.",${PASSWORD},,`);
  const report = await dryRun(local, file);
  assert.deepEqual([report.total, ...counts(report), report.errors], [2, 2, 0, 0, 0, []]);
  assert.deepEqual(report.data, [{ line: 2, address: `ana@${d}`, outcome: 'created' }, { line: 3, address: `joe@${d}`, outcome: 'created' }]);
  assert.equal(local.last.headers['dry-run'], 'true');
  await local.call('GET', `/accounts/ana@${d}`, ACCOUNT, { status: 404 });

  const done = await importFile(local, file);
  assert.deepEqual([done.action, done.state, done.total, done.done, done.changed, counts(done.import)], ['import', 'done', 2, 2, 2, [2, 0, 0, 0]]);
  assert.deepEqual((await linesOf(local, done.id)).map((l) => [l.line, l.address, l.outcome, l.invited]), [[2, `ana@${d}`, 'created', true], [3, `joe@${d}`, 'created', false]]);
  assert.deepEqual(await linesOf(local, done.id, '&noted=true'), []);
  const ana = await account(`ana@${d}`);
  assert.deepEqual([ana.name, ana.state, ana.quota.limit], ['Ana Reis', 'invited', 5000000000]);
  assert.deepEqual([(await account(`joe@${d}`)).name, (await account(`joe@${d}`)).state], ['Joe "J" Doe, jr.', 'active']);
  assert.ok(await signsInto('imap', endpoints, `joe@${d}`, PASSWORD));
  const { data } = await local.call('GET', `/accounts/ana@${d}/addresses`, `${ACCOUNT}/addresses`);
  assert.deepEqual(data.map((a) => a.address), [`a.r@${d}`, `ana.reis@${d}`, `ana@${d}`]);

  const admin = await signIn(world.admin);
  await admin.call('GET', `/operations/${done.id}`, OPERATION);
  await admin.call('POST', `/operations/${done.id}/links`, `${OPERATION}/links`, { status: 404, body: {} });
  const links = await local.call('POST', `/operations/${done.id}/links`, `${OPERATION}/links`, { body: {} });
  assert.deepEqual([links.next, links.data.map((l) => [l.line, l.address, l.name])], [null, [[2, `ana@${d}`, 'Ana Reis']]]);
  const token = links.data[0].url.split('#link=')[1];
  assert.ok(token.length > 30);
  assert.deepEqual((await local.call('POST', `/operations/${done.id}/links`, `${OPERATION}/links`, { body: { after: 2 } })).data, []);
  const audit = await local.send('GET', '/api/v1/audit?limit=200');
  assert.ok(audit.text.includes('account.import') && !audit.text.includes(token) && !audit.text.includes(PASSWORD));
  await local.call('PUT', `/accounts/ana@${d}/password`, `${ACCOUNT}/password`, { status: 204, body: { password: PASSWORD } });
  assert.deepEqual((await local.call('POST', `/operations/${done.id}/links`, `${OPERATION}/links`)).data, []);
});

test('every bad line is named, by line, column and sentence; then nothing is done', async () => {
  const d = world.domain;
  await local.call('PUT', `/aliases/sales@${d}`, '/aliases/{address}', { status: 201, body: { members: [world.bob] } });
  const file = csv('address,name,role,quota,forward,forward_keep,addresses,recipients_per_hour',
    `good@${d},,,,,,,`,
    'nonsense,,,,,,,',
    `${world.alice},,,,,,,`,
    `x1@nowhere-${run}.example,,,,,,,`,
    `x2@${d},,king,5GB,x2@${d},maybe,,-1`,
    `x3@${d},,,,,,good@${d},`,
    `good@${d},,,,,,,`,
    `sales@${d},,,,,,,`,
    `x4@${d},a`,
    `x5@${d},"a"b,,,,,,`,
    `x6@${d},,,,,,${world.bob} nope,`,
    ',,,,,,,');
  const report = await dryRun(local, file);
  assert.deepEqual(faults(report.errors).sort((a, b) => a[0] - b[0]), [
    [3, 'address', 'syntax'], [4, 'address', 'exists'], [5, 'address', 'unknown-domain'],
    [6, 'role', 'enum'], [6, 'quota', 'type'], [6, 'forward_keep', 'type'], [6, 'recipients_per_hour', 'type'],
    [7, 'addresses', 'duplicate'], [8, 'address', 'duplicate'], [9, 'address', 'exists'],
    [10, '', 'cells'], [11, '', 'syntax'], [12, 'addresses', 'syntax'], [12, 'addresses', 'exists'], [13, 'address', 'syntax'],
  ]);
  assert.deepEqual([report.total, ...counts(report)], [12, 1, 0, 0, 11]);
  const exists = report.errors.find((e) => e.line === 4);
  assert.deepEqual([exists.address, exists.detail], [world.alice, 'There is an account with this address; only an import that updates changes it.']);
  assert.match(report.errors.find((e) => e.line === 8).detail, /^Line 2 has the address/);
  const problem = await local.call('POST', '/import', '/import', { status: 422, headers: CSV, body: file, type: 'validation' });
  assert.deepEqual(problem.errors, report.errors);
  await local.call('GET', `/accounts/good@${d}`, ACCOUNT, { status: 404 });
});

test('JSON Lines: the same checks, line by line', async () => {
  const d = world.domain;
  const file = `\ufeff${lines({ address: `j1@${d}`, limits: { recipients_per_day: 0 } })}\n{"address":"j2@${d}",\n[1]\n{"address":"j3@${d}","nmae":"x","id":"a1","state":"deleted"}\n{"name":"x"}\n"\u00e9`;
  const report = await dryRun(local, file, LINES);
  assert.deepEqual(faults(report.errors).sort((a, b) => a[0] - b[0]), [[3, '', 'syntax'], [4, '', 'type'], [5, '/nmae', 'unknown-field'], [5, '/id', 'unknown-field'], [5, '/state', 'enum'], [6, '/address', 'required'], [7, '', 'syntax']]);
  assert.match(report.errors.find((e) => e.pointer === '/nmae').detail, /Did you mean "name"/);
  assert.deepEqual(report.data.map((l) => [l.line, l.outcome]), [[1, 'created']]);
});

test('what is no such file', async () => {
  const bad = async (status, type, body, headers, query = '') => local.call('POST', `/import${query}`, '/import', { status, type, body, headers });
  await bad(415, 'unsupported-media-type', 'address\n', { 'Content-Type': 'application/json' });
  await bad(415, 'unsupported-media-type', 'address\n', { 'Content-Type': 'text/csv', 'Content-Encoding': 'gzip' });
  await bad(400, 'invalid-parameter', 'address\n', CSV, '?update=perhaps');
  await bad(400, 'invalid-parameter', 'address\n', CSV, '?force=true');
  const first = async (body, headers = CSV) => { const { errors } = await bad(422, 'validation', body, headers); return [errors.length, errors[0].line, errors[0].code]; };
  assert.deepEqual(await first(''), [1, 1, 'empty']);
  assert.deepEqual(await first('', LINES), [1, 1, 'empty']);
  assert.deepEqual(await first('address,name\n'), [1, 1, 'empty']);
  assert.deepEqual(await first('name\nx\n'), [1, 1, 'required']);
  assert.deepEqual(await first('address,adress\n'), [1, 1, 'unknown-column']);
  assert.deepEqual(await first('address,Address\n'), [1, 1, 'duplicate']);
  assert.deepEqual(await first('address\n"x'), [1, 2, 'syntax']);
  assert.deepEqual(await first(Buffer.from([0x61, 0x64, 0x64, 0x72, 0x65, 0x73, 0x73, 10, 0xe9, 10])), [1, 2, 'syntax']);
  const many = await bad(422, 'validation', `address\n${'x\n'.repeat(10001)}`, CSV);
  assert.deepEqual([many.errors.length, many.errors.at(-1).line, many.errors.at(-1).code], [10001, 10002, 'too-many']);
  await bad(413, 'too-large', Buffer.alloc(9 << 20, 'x'), CSV);
  const long = await first(`address,name\nx@${world.domain},${'y'.repeat(300000)}\nz@${world.domain},\n`);
  assert.deepEqual(long, [1, 2, 'syntax']);
});

test('an update changes what the file names, and nothing else', async () => {
  const d = world.domain;
  await importFile(local, lines({ address: `u1@${d}`, name: 'One', quota: { limit: 2097152, message_limit: 7 }, addresses: [`u1a@${d}`, `u1b@${d}`], password: PASSWORD }), LINES);
  await local.call('POST', '/import', '/import', { status: 422, headers: CSV, body: csv('address,name', `u1@${d},Two`) });
  const file = csv('address,name,quota,addresses', `u1@${d},Two,,u1b@${d} u1c@${d}`, `u2@${d},New,,`);
  const report = await dryRun(local, file, CSV, '&update=true');
  assert.deepEqual(report.data.map((l) => [l.line, l.outcome]), [[2, 'updated'], [3, 'created']]);
  const done = await importFile(local, file, CSV, '?update=true');
  assert.deepEqual(counts(done.import), [1, 1, 0, 0]);
  const u1 = await account(`u1@${d}`);
  assert.deepEqual([u1.name, u1.state, u1.quota.limit, u1.quota.message_limit], ['Two', 'active', null, 7]);
  const { data } = await local.call('GET', `/accounts/u1@${d}/addresses`, `${ACCOUNT}/addresses`);
  assert.deepEqual(data.map((a) => a.address), [`u1@${d}`, `u1b@${d}`, `u1c@${d}`]);
  assert.ok(await signsInto('imap', endpoints, `u1@${d}`, PASSWORD));
  const again = await importFile(local, file, CSV, '?update=true');
  assert.deepEqual([counts(again.import), again.changed], [[0, 0, 2, 0], 0]);
  assert.equal((await account(`u1@${d}`)).version, u1.version);
  const other = 'another place by the sea';
  const changed = await importFile(local, csv('address,password', `u1@${d},${other}`), CSV, '?update=true');
  assert.deepEqual(counts(changed.import), [0, 1, 0, 0]);
  assert.ok(await signsInto('imap', endpoints, `u1@${d}`, other));
});

test('export, delete, import: the same accounts again', async () => {
  const d = `round-${run}.example`;
  await local.call('PUT', `/domains/${d}`, '/domains/{domain}', { status: 201, body: {} });
  const bodies = {
    [`a@${d}`]: { name: '=HYPERLINK("http://x")', role: 'domain_admin', language: 'pt-BR', password: PASSWORD, limits: { recipients_per_hour: 5, recipients_per_day: 0 } },
    [`b@${d}`]: { name: 'B, the "second"; one', quota: { limit: 1048576, message_limit: 9 }, forward: ['x@example.net', 'y@example.net'], forward_keep: false },
    [`c@${d}`]: { name: '\u00c7a va\u2026', delivery: 'lmtp:127.0.0.1:2400', role: 'system_admin' },
    [`d@${d}`]: { name: '-1+2' },
  };
  for (const [address, body] of Object.entries(bodies)) await local.call('PUT', `/accounts/${address}`, ACCOUNT, { status: 201, body });
  for (const one of ['b1', 'b2']) await local.call('PUT', `/accounts/b@${d}/addresses/${one}@${d}`, `${ACCOUNT}/addresses/{further}`, { status: 201 });
  await local.call('PUT', `/accounts/d@${d}/suspend`, `${ACCOUNT}/suspend`, { body: { reason: 'x' } });
  await local.call('PUT', `/accounts/b@${d}/freeze`, `${ACCOUNT}/freeze`, { body: { reason: 'x' } });
  const KEPT = ['address', 'name', 'role', 'language', 'delivery', 'delivery_user', 'forward', 'forward_keep', 'limits'];
  const all = async () => Promise.all(Object.keys(bodies).map(async (address) => {
    const one = await account(address);
    const addresses = (await local.call('GET', `/accounts/${address}/addresses`, `${ACCOUNT}/addresses`)).data.map((a) => a.address);
    return { ...Object.fromEntries(KEPT.map((name) => [name, one[name]])), quota: [one.quota.limit, one.quota.message_limit], addresses, held: ['frozen', 'suspended'].includes(one.state) ? one.state : null };
  }));
  const before = await all();
  const asCsv = await exportFile(local, { domain: [d] });
  const asLines = await exportFile(local, { format: 'jsonl', domain: [d] });
  assert.equal(asCsv.headers['content-disposition'], 'attachment; filename="accounts.csv"');
  assert.match(asCsv.text, /^address,name,role,state,language,addresses,quota,/);
  assert.ok(asCsv.text.includes(`"'=HYPERLINK(""http://x"")"`) && asCsv.text.includes(`,'-1+2,`));
  assert.ok(!/\$|scram|argon/i.test(asCsv.text + asLines.text));
  for (const [text, headers] of [[asCsv.text, CSV], [asLines.text, LINES]]) {
    assert.deepEqual(counts((await importFile(local, text, headers, '?update=true')).import), [0, 0, 4, 0]);
    for (const address of Object.keys(bodies)) await local.call('DELETE', `/accounts/${address}?purge=true`, ACCOUNT, { status: 204 });
    const done = await importFile(local, text, headers);
    assert.deepEqual(counts(done.import), [4, 0, 0, 0], JSON.stringify(await linesOf(local, done.id)));
    assert.deepEqual(await all(), before);
    assert.deepEqual((await linesOf(local, done.id)).map((l) => l.invited), [true, true, true, false]);
  }
  await local.call('DELETE', `/accounts/d@${d}`, ACCOUNT, { status: 204 });
  const report = await dryRun(local, asCsv.text, CSV, '&update=true');
  assert.deepEqual(faults(report.errors), [[5, 'address', 'deleted']]);
});

test('an export takes the filters of the list', async () => {
  const addresses = async (body) => (await exportFile(local, { format: 'jsonl', ...body })).text.trim().split('\n').filter((l) => l !== '').map((l) => JSON.parse(l).address);
  assert.deepEqual(await addresses({ domain: [world.other.toUpperCase()] }), [world.far, world.office]);
  assert.deepEqual(await addresses({ domain: [world.other], role: ['domain_admin'] }), [world.office]);
  assert.deepEqual(await addresses({ domain: [world.other], q: 'FAR' }), [world.far]);
  assert.deepEqual(await addresses({ domain: [`none-${run}.example`] }), []);
  assert.deepEqual(await addresses({ domain: [world.other], state: ['invited'] }), []);
  const problem = await local.call('POST', '/export', '/export', { status: 422, body: { format: 'xls', state: ['deleted'], colour: 1 } });
  assert.deepEqual(problem.errors.map((e) => [e.pointer, e.code]), [['/format', 'enum'], ['/state/0', 'enum'], ['/colour', 'unknown-field']]);
});

test('a domain administrator reaches the own domain alone', async () => {
  const office = await signIn(world.office);
  const [d, o] = [world.domain, world.other];
  const { text } = await exportFile(office, {});
  assert.ok(text.includes(world.far) && !text.includes(`@${d}`));
  assert.ok(!(await exportFile(office, { domain: [d] })).text.includes('@'));
  const file = csv('address,role,addresses,delivery,recipients_per_hour', `n1@${d},,,,`, `${world.alice},,,,`, `n2@${o},system_admin,,,`, `n3@${o},,n3@${d},,`, `n4@${o},,,maildir:/tmp/x,`, `${world.office},,,,5`, `${world.far},,,,`);
  const report = await dryRun(office, file, CSV, '&update=true');
  assert.deepEqual(faults(report.errors), [[2, 'address', 'unknown-domain'], [3, 'address', 'unknown-domain'], [4, '', 'not-allowed'], [5, 'addresses', 'unknown-domain'], [6, 'delivery', 'not-allowed'], [7, '', 'not-allowed']]);
  const done = await importFile(office, csv('address,name', `n5@${o},Five`, `${world.far},Far away`), CSV, '?update=true');
  assert.deepEqual(counts(done.import), [1, 1, 0, 0]);
  assert.equal((await account(world.far)).name, 'Far away');
  assert.equal((await office.call('POST', `/operations/${done.id}/links`, `${OPERATION}/links`, { body: {} })).data.length, 1);
  const foreign = await importFile(local, csv('address', `n6@${o}`));
  for (const [method, below] of [['GET', ''], ['DELETE', ''], ['GET', '/lines'], ['POST', '/links']]) {
    await office.call(method, `/operations/${foreign.id}${below}`, `${OPERATION}${below}`, { status: 404, ...(method === 'POST' && { body: {} }) });
  }
  const person = await signIn(world.far);
  await person.call('POST', '/import', '/import', { status: 403, headers: CSV, body: csv('address', `p@${o}`) });
  await person.call('GET', `/operations/${foreign.id}`, OPERATION, { status: 404 });
});

test('scopes: a token for accounts follows its import, one for the queue does not', async () => {
  const token = bearer(await makeToken(['accounts:write']));
  const done = await importFile(token, csv('address', `t1@${world.domain}`));
  const reader = bearer(await makeToken(['accounts:read']));
  await reader.call('GET', `/operations/${done.id}`, OPERATION);
  await reader.call('DELETE', `/operations/${done.id}`, OPERATION, { status: 403 });
  await reader.call('POST', '/import', '/import', { status: 403, headers: CSV, body: 'address\n' });
  const queue = bearer(await makeToken(['queue:write']));
  await queue.call('GET', `/operations/${done.id}`, OPERATION, { status: 403, type: 'insufficient-scope' });
  await nobody.call('POST', '/import', '/import', { status: 401, headers: CSV, body: 'address\n' });
  await token.call('DELETE', `/operations/${done.id}`, OPERATION, { status: 204 });
});

test('a password of a file has to be a good one, and is in no answer', async () => {
  const admin = await signIn(world.admin);
  const report = await dryRun(admin, csv('address,password', `w1@${world.domain},short`, `w2@${world.domain},passwordpassword`));
  assert.deepEqual(faults(report.errors).map(([line, cell]) => [line, cell]), [[2, 'password'], [3, 'password']]);
  assert.ok(!admin.last.text.includes('passwordpassword'));
  const done = await importFile(admin, csv('address,role', `w3@${world.domain},domain_admin`));
  assert.equal((await account(`w3@${world.domain}`)).role, 'domain_admin', done.state);
});

test('a key is done once; a cancelled import stops', async () => {
  const d = world.domain;
  const headers = { ...CSV, 'Idempotency-Key': `import-${run}` };
  const body = csv('address', ...Array.from({ length: 400 }, (_, i) => `many${i}@${d}`));
  const first = await local.call('POST', '/import', '/import', { status: 202, headers, body });
  const second = await local.call('POST', '/import', '/import', { status: 202, headers, body });
  assert.equal(second.id, first.id);
  const others = await local.call('POST', '/import', '/import', { status: 202, headers: CSV, body: csv('address', ...Array.from({ length: 200 }, (_, i) => `other${i}@${d}`)) });
  await local.call('POST', '/import', '/import', { status: 429, type: 'rate-limited', headers: CSV, body: csv('address', `third@${d}`) });
  for (let one = first; one.done === 0; await new Promise((resolve) => setTimeout(resolve, 50))) one = await local.call('GET', `/operations/${others.id}`, OPERATION);
  assert.equal((await local.call('GET', `/operations/${first.id}`, OPERATION)).state, 'running'); // they take turns
  await local.call('DELETE', `/operations/${others.id}`, OPERATION, { status: 204 });
  await local.call('DELETE', `/operations/${first.id}`, OPERATION, { status: 204 });
  const stopped = await local.call('GET', `/operations/${first.id}`, OPERATION);
  assert.equal(stopped.state, 'cancelled');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const later = await local.call('GET', `/operations/${first.id}`, OPERATION);
  assert.ok(later.done <= stopped.done + 1 && later.done < 400, `${stopped.done} ${later.done}`);
  const rest = await importFile(local, body, CSV, '?update=true');
  assert.deepEqual([rest.import.created + rest.import.unchanged, rest.import.unchanged], [400, later.done]);
  let links = 0;
  for (let after = 0; after !== null;) {
    const page = await local.call('POST', `/operations/${rest.id}/links`, `${OPERATION}/links`, { body: { after } });
    links += page.data.length;
    after = page.next;
  }
  assert.equal(links, rest.import.created);
});
