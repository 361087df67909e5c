import { playDrill } from '../fleet/drill-program';
import { readArguments } from './arguments';
import { reportRestarts } from './report';
import { runRestarts } from './restart-run';

/** Entry of `npm run drill:restarts`. */
playDrill({ read: readArguments, run: runRestarts, report: reportRestarts });
