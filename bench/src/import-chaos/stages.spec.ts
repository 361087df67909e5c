import { stagesOf } from './stages';

const text = (calls: number, seconds: number, late: number): string =>
  [
    '# HELP parser_call_seconds A call',
    `parser_call_seconds_bucket{le="1",service="parser-service"} ${calls}`,
    `parser_call_seconds_sum{service="parser-service"} ${seconds}`,
    `parser_call_seconds_count{service="parser-service"} ${calls}`,
    `parser_store_seconds_sum{step="commit",service="parser-service"} 0.5`,
    `parser_store_seconds_count{step="commit",service="parser-service"} 10`,
    `parser_slots_lost_total{network="vk",cause="too-late"} ${late}`,
    `parser_calls_in_hand 3`,
  ].join('\n');

describe('the stages of calls', () => {
  it('are means of what was measured since, over all processes', () => {
    const stages = stagesOf([text(30, 12, 7), text(10, 2, 1)], [text(20, 10, 2)]);
    expect(stages.ms['call']).toEqual({ mean: 200, count: 20 });
    expect(stages.ms['commit']).toEqual({ mean: 50, count: 10 });
    expect(Object.keys(stages.ms)).toEqual(['call', 'commit']);
    expect(stages.slotsLost).toEqual({ 'too-late': 6 });
  });

  it('have no mean where nothing was measured', () => {
    expect(stagesOf([text(5, 1, 0)], [text(5, 1, 0)]).ms['call']).toEqual({ mean: 0, count: 0 });
  });
});
