import { playDrill } from '../fleet/drill-program';
import { readArguments } from './arguments';
import { reportSoak } from './report';
import { runSoak } from './soak-run';

/** Entry of `npm run soak`. */
playDrill({ read: readArguments, run: runSoak, report: reportSoak });
