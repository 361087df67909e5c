#!/usr/bin/env node
// Kept apart from what is built, so that npm finds it in a fresh clone.
require('../dist/main.js');
