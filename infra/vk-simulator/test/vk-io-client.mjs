// Runs vk-io as its users do and prints what came of every call as one line of JSON.
// Arguments: base URL, token, mode. A process of its own: vk-io comes as an ES module, which jest does not load.
import http from 'node:http';
import { API } from 'vk-io';

const [apiBaseUrl, token, apiMode] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });
const api = new API({ token, apiBaseUrl, apiMode, agent });

const outcomes = await Promise.allSettled([
  api.users.get({ user_ids: [1, 2, 3], fields: ['sex', 'city'] }),
  api.friends.get({ user_id: 3 }),
  api.friends.get({ user_id: 4 }),
  api.groups.get({ user_id: 1, extended: 1 }),
  api.friends.get({ user_id: 2 }),
  api.wall.get({ owner_id: -20000001, count: 3 }),
  api.utils.resolveScreenName({ screen_name: 'id1' }),
  ...Array.from({ length: apiMode === 'parallel' ? 25 : 1 }, () => api.friends.get({ user_id: 1 })),
]);
const executed = await api.execute({ code: 'return API.friends.get({"user_id":Args.who});', who: 4 });

process.stdout.write(
  JSON.stringify({
    outcomes: outcomes.map(({ value, reason }) =>
      reason ? { code: reason.code, name: reason.name } : value,
    ),
    executed: { response: executed.response, codes: executed.errors.map(({ code }) => code) },
  }),
);
agent.destroy();
