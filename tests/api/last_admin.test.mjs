// The last system administrator stays: nobody may lock everybody out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { local, makeWorld } from './server.mjs';

const A = '/accounts/{address}';

test('the last system administrator cannot be removed, suspended, demoted or lose the domain', async () => {
  const world = await makeWorld('last');
  const others = (await local.call('GET', '/accounts?role=system_admin&limit=200', '/accounts')).data.filter((a) => a.address !== world.admin && a.state !== 'suspended');
  for (const { address } of others) await local.call('PUT', `/accounts/${address}/suspend`, '/accounts/{address}/suspend', { body: {} });
  try {
    const refused = { status: 409, type: 'last-admin' };
    await local.call('DELETE', `/accounts/${world.admin}`, A, refused);
    await local.call('PATCH', `/accounts/${world.admin}`, A, { ...refused, body: { role: 'account' } });
    await local.call('PUT', `/accounts/${world.admin}`, A, { ...refused, body: {} });
    await local.call('PUT', `/accounts/${world.admin}/suspend`, '/accounts/{address}/suspend', { ...refused, body: {} });
    await local.call('PATCH', `/domains/${world.domain}`, '/domains/{domain}', { ...refused, body: { state: 'disabled' } });
    await local.call('DELETE', `/domains/${world.domain}?force=true`, '/domains/{domain}', refused);
    const still = await local.call('GET', `/accounts/${world.admin}`, A);
    assert.deepEqual([still.role, still.state], ['system_admin', 'active']);
    await local.call('PATCH', `/accounts/${world.bob}`, A, { body: { role: 'system_admin' } });
    await local.call('PATCH', `/accounts/${world.admin}`, A, { body: { role: 'account' } });
  } finally {
    for (const { address } of others) await local.call('DELETE', `/accounts/${address}/suspend`, '/accounts/{address}/suspend', { status: 204 });
  }
});
