import { DIALECTS } from '../../src/dialects/registry.ts';
import { dialectContract } from './contract.ts';

for (const dialect of DIALECTS) dialectContract(dialect);
