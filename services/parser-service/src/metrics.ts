import { type Metrics, workerErrors } from '@sociograph/observability';

/** Every metric of this service beyond those of the libs, grouped by the question it answers. */
export function parserMetrics(metrics: Metrics) {
  return {
    // Does work flow?
    dispatched: metrics.counter(
      'parser_calls_dispatched_total',
      'Calls stored and sent to the queue; flat while imports run: no key, or the dispatcher stands',
    ),
    performed: metrics.counter(
      'parser_calls_performed_total',
      'Calls by what became of them; growth of put-back means that keys do not suffice',
      ['performance'] as const,
    ),
    completed: metrics.counter(
      'parser_imports_completed_total',
      'Imports whose observations every view shows',
    ),
    revived: metrics.counter(
      'parser_calls_revived_total',
      'Calls put back because their message was lost; any growth needs a look at RabbitMQ',
    ),
    // Are packs full?
    items: metrics.counter(
      'parser_items_called_total',
      'Items in the calls that were made; divided by calls of the kind it is the fill of packs',
      ['kind'] as const,
    ),
    calls: metrics.counter('parser_calls_sent_total', 'Calls by what the network did', [
      'kind',
      'outcome',
    ] as const),
    // Does the network still answer as it documents?
    unreadable: metrics.counter(
      'parser_answers_unreadable_total',
      'Items whose answer had another shape than documented; growth: the API changed, the log names the field',
      ['network', 'kind'] as const,
    ),
    // Where does the time go?
    lease: metrics.histogram(
      'parser_lease_wait_seconds',
      'From asking for a lease to the verdict; long with idle keys: the pool is slow',
    ),
    call: metrics.histogram(
      'parser_call_seconds',
      'A call from its message to its commit, waits for a key included',
    ),
    store: metrics.histogram(
      'parser_store_seconds',
      'What was seen on its way into the log (publish) and into the database (commit), waits included; a call whose answer is not kept holds its place as long',
      ['step'] as const,
    ),
    // Are slots kept?
    slotsLost: metrics.counter(
      'parser_slots_lost_total',
      'Slots in which nothing was sent, by cause; growth of too-late means that this machine is too busy',
      ['network', 'cause'] as const,
    ),
    slotsSentLate: metrics.counter(
      'slots_sent_late_total',
      'Calls that left after their slot although they were checked in it: the process was frozen in between',
      ['network'] as const,
    ),
    slotLateness: metrics.histogram(
      'parser_slot_lateness_seconds',
      'From the beginning of a slot to the write; the margin of the whole pool grows with it',
      ['network'] as const,
      [0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01],
    ),
    margin: metrics.gauge(
      'parser_pool_margin_seconds',
      'The learned margin of a network after the last report of its path; wide: slots are far apart',
      ['network'] as const,
    ),
    settlesGivenUp: metrics.counter(
      'parser_settles_given_up_total',
      'Leases whose end the pool did not hear of for 30 s; their slots count as used',
    ),
    // Is anything in the way?
    unappliedEdges: metrics.gauge(
      'parser_unapplied_edges',
      'Friendships that were published and that some view does not show yet, about; dispatch waits above 250,000',
    ),
    heldBack: metrics.gauge(
      'parser_dispatch_held_back',
      '1 while nothing is dispatched because the graph store is far behind',
    ),
    buried: metrics.counter(
      'parser_calls_buried_total',
      'Calls that could only fail again, by what became of them; any growth of buried is a bug of ours or of the network',
      ['burial'] as const,
    ),
    rowsDeleted: metrics.counter('parser_rows_deleted_total', 'Rows deleted because they were old enough'),
    gapsFound: metrics.counter(
      'parser_gaps_total',
      'Items that calls ended without an answer, by cause; each is in the certificate of its import',
      ['cause'] as const,
    ),
    gaps: metrics.gauge(
      'parser_import_gaps',
      'Gaps of all imports that are kept, of people and of lists; every process counts the same ones',
      ['of'] as const,
    ),
    workerErrors: workerErrors(metrics),
    // How much is under way?
    imports: metrics.gauge(
      'parser_imports',
      'Imports that are kept, by state; every process counts the same ones',
      ['state'] as const,
    ),
    streams: metrics.gauge('parser_streams_open', 'Streams of events that this process keeps open'),
    inHand: metrics.gauge('parser_calls_in_hand', 'Calls that this process has taken and not finished'),
  };
}

export type ParserMetrics = ReturnType<typeof parserMetrics>;
