import { playDrill } from '../fleet/drill-program';
import { readArguments } from './arguments';
import { runUpgrade } from './run-upgrade';
import { reportUpgrade } from './verdict';

/** Entry of `npm run drill:upgrade`. */
playDrill({ read: readArguments, run: runUpgrade, report: reportUpgrade });
