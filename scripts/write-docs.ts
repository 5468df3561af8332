/** `npm run docs`: writes the parts of the documentation that are generated from code. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { replaceConfigurationTable } from './render-configuration.ts';
import { repositoryRoot } from './run-step.ts';

const file = path.join(repositoryRoot, 'docs', 'configuration.md');
writeFileSync(file, replaceConfigurationTable(readFileSync(file, 'utf8')));
