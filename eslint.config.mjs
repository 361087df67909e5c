import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import { createProjectGraphAsync } from '@nx/devkit';
import tseslint from 'typescript-eslint';
import { layers } from './tools/eslint/layers.mjs';

// enforce-module-boundaries is skipped silently without a fresh project graph, so it is made here (about a second).
process.env.NX_DAEMON = 'false';
await createProjectGraphAsync({ exitOnError: true });

const impure = [
  ['MemberExpression[object.name="Date"][property.name="now"]', 'the time comes from Clock'],
  ['NewExpression[callee.name="Date"][arguments.length=0]', 'the time comes from Clock'],
  ['MemberExpression[object.name="performance"][property.name="now"]', 'the time comes from Clock'],
  ['MemberExpression[object.name="Math"][property.name="random"]', 'chance comes from Randomness'],
  ['Identifier[name=/^random(UUID|Bytes|Int)$/]', 'identities come from Ids'],
].map(([selector, message]) => ({ selector, message }));

const environment = {
  selector: 'MemberExpression[object.name="process"][property.name="env"]',
  message: 'only config.ts reads the environment, through loadConfig',
};

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '.nx/**',
      '.sociograph/**',
      'services/*/generated/**',
      'coverage/**',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        require: 'readonly',
        module: 'writable',
        exports: 'writable',
        __dirname: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        setInterval: 'readonly',
        clearTimeout: 'readonly',
        clearInterval: 'readonly',
        setImmediate: 'readonly',
        AbortSignal: 'readonly',
        AbortController: 'readonly',
      },
    },
  },
  ...tseslint.configs.recommended.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-undef': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      // Nest injects by the classes that constructors name: they must stay real imports.
      '@typescript-eslint/consistent-type-imports': 'off',
    },
  },
  {
    files: ['{libs,services,infra}/*/{src,test}/**/*.ts', '{gateway,tools,bench,e2e,analytics}/**/*.ts'],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          enforceBuildableLibDependency: false,
          depConstraints: [
            { sourceTag: 'type:lib', onlyDependOnLibsWithTags: ['type:lib'] },
            { sourceTag: 'type:service', onlyDependOnLibsWithTags: ['type:lib'] },
            { sourceTag: 'type:infra', onlyDependOnLibsWithTags: ['type:lib', 'type:infra'] },
            { sourceTag: 'type:tool', onlyDependOnLibsWithTags: ['type:lib', 'type:tool'] },
            { sourceTag: 'type:e2e', onlyDependOnLibsWithTags: ['type:lib'] },
          ],
        },
      ],
    },
  },
  {
    files: ['{libs,services,infra}/*/{src,test}/**/*.ts', '{gateway,tools,bench,e2e,analytics}/**/*.ts'],
    plugins: { sociograph: layers },
    rules: { 'sociograph/packages': 'error' },
  },
  {
    files: ['services/*/src/**/*.ts'],
    plugins: { sociograph: layers },
    rules: { 'sociograph/layers': 'error' },
  },
  {
    files: ['services/*/src/**/*.ts', 'libs/*/src/**/*.ts', 'analytics/src/**/*.ts'],
    ignores: [
      '**/*.spec.ts',
      '**/config.ts',
      'libs/service-host/src/load-config.ts',
      'libs/testing/src/**',
      'libs/arango-embedded/src/main.ts',
    ],
    rules: { 'no-restricted-syntax': ['error', environment] },
  },
  {
    files: ['services/*/src/{domain,application,projections}/**/*.ts', 'analytics/src/application/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', environment, ...impure] },
  },
);
