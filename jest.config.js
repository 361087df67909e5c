const { readFileSync } = require('node:fs');
const { join } = require('node:path');

// The build's settings, except that specs are compiled too.
const swc = JSON.parse(readFileSync(join(__dirname, '.swcrc'), 'utf8'));
delete swc.exclude;
delete swc.$schema;

// Published as ES modules only, or calling import(): jest on Node 20 can do neither untransformed.
const transformed = [
  'jose',
  '@keycloak/keycloak-admin-client',
  'url-join',
  'camelize-ts',
  '@opentelemetry/otlp-exporter-base',
  '@prisma/schema-engine-wasm',
];

const base = {
  rootDir: __dirname,
  testEnvironment: 'node',
  transform: {
    '^.+\\.[cm]?ts$': ['@swc/jest', { ...swc, swcrc: false }],
    '^.+\\.m?js$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'ecmascript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        swcrc: false,
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${transformed.join('|')})/)`],
  moduleFileExtensions: ['ts', 'mts', 'js', 'mjs', 'cjs', 'json', 'node'],
  moduleNameMapper: {
    '^@sociograph/native$': '<rootDir>/infra/native/src/index.ts',
    '^@sociograph/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
  },
  modulePathIgnorePatterns: [
    '<rootDir>/(libs|services|infra)/[^/]+/dist/',
    '<rootDir>/(gateway|tools|e2e|bench|analytics)/dist/',
    '<rootDir>/\\.(sociograph|nx)/',
  ],
  setupFiles: ['<rootDir>/tools/jest/load-test-env.cjs'],
};

/** @type {import('jest').Config} */
module.exports = {
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/{libs,services,infra}/*/src/**/*.spec.ts',
        '<rootDir>/{tools,bench,analytics}/src/**/*.spec.ts',
        '<rootDir>/gateway/{embedded,reconciler,render}/**/*.spec.ts',
      ],
    },
    {
      ...base,
      displayName: 'component',
      testMatch: [
        '<rootDir>/{libs,services,infra}/*/test/**/*.spec.ts',
        '<rootDir>/{gateway,tools,bench,analytics}/test/**/*.spec.ts',
      ],
    },
    {
      ...base,
      displayName: 'e2e',
      testMatch: ['<rootDir>/e2e/**/*.spec.ts'],
      globalSetup: '<rootDir>/tools/jest/fleet-before.cjs',
      globalTeardown: '<rootDir>/tools/jest/fleet-after.cjs',
    },
  ],
};
