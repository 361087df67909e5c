import { playDrill } from '../fleet/drill-program';
import { readArguments } from './arguments';
import { runChaos } from './chaos-run';
import { reportChaos } from './report';

/** Entry of `npm run chaos:fleet`. */
playDrill({ read: readArguments, run: runChaos, report: reportChaos });
