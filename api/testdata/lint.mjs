// Lints an OpenAPI document by Redocly's recommended rules, which come with the
// client's generator: node lint.mjs ADDRESS
import { createConfig, lint } from '@redocly/openapi-core';

const config = await createConfig({ extends: ['recommended-strict'] });
const problems = await lint({ ref: process.argv[2], config });
for (const { ruleId, message, location } of problems) console.log(`${location[0]?.pointer}: ${message} (${ruleId})`);
process.exit(problems.length > 0 ? 1 : 0);
