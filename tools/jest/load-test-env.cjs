// Component and end-to-end specs find their servers in the environment. The test stack writes it to one file;
// what is already set (a server given by URL) wins over the file.
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const file =
  process.env.SOCIOGRAPH_TEST_ENV ?? join(__dirname, '..', '..', '.sociograph', 'test', 'env.json');
if (existsSync(file)) {
  for (const [name, value] of Object.entries(JSON.parse(readFileSync(file, 'utf8')))) {
    process.env[name] ??= String(value);
  }
}
