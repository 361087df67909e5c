import { playDrill } from '../fleet/drill-program';
import { type DrillOptions, readArguments } from './arguments';
import { type Drill, passed, report } from './report';
import { runDrill } from './run-drill';

/** Entry of `npm run drill:restore`. */
playDrill<DrillOptions, Drill & { passed: boolean }>({
  read: readArguments,
  run: async (options, cleanup, say) => {
    const drill = await runDrill(options, cleanup, say);
    return { ...drill, passed: passed(drill) };
  },
  report,
});
