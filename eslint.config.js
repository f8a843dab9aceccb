import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const ambient = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Time comes in through the Clock port.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Time comes in through the Clock port.',
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Randomness comes in as a port.',
  },
  { selector: "CallExpression[callee.name='setTimeout']", message: 'Waiting goes through the Clock port.' },
  { selector: "CallExpression[callee.name='setInterval']", message: 'Waiting goes through the Clock port.' },
];

export default tseslint.config(
  { ignores: ['node_modules/', 'schemas/generated/', '.tributary/', '*.cjs', 'bin/'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  { files: ['core/**', 'services/**', 'schemas/**'], rules: { 'no-restricted-syntax': ['error', ...ambient] } },
  { files: ['cli/**', 'tools/**'], rules: { 'no-console': 'off' } },
  { files: ['eslint.config.js'], extends: [tseslint.configs.disableTypeChecked] },
);
