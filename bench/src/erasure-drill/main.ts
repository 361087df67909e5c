import { playDrill } from '../fleet/drill-program';
import { readArguments } from './arguments';
import { reportErasure } from './report';
import { runErasureDrill } from './run-drill';

/** Entry of `npm run drill:erasure`. */
playDrill({ read: readArguments, run: runErasureDrill, report: reportErasure });
