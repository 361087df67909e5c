import type { Board } from '../panel';
import { type ServiceParts, serviceRows } from './process';

const SERVICES: readonly (ServiceParts & { about: string })[] = [
  {
    service: 'key-service',
    about: 'Does the pool of keys answer, and is it healthy as a process?',
    ...{ http: true, postgres: true, work: true },
  },
  {
    service: 'parser-service',
    about: 'Does the service of imports answer, and does it get through its calls?',
    ...{ http: true, tasks: true, postgres: true, work: true },
  },
  {
    service: 'graph-storage-service',
    about: 'Does the graph answer, and does it keep up with what is observed?',
    ...{ http: true, group: true, work: true },
  },
  {
    service: 'read-model-projector',
    about: 'Do the views answer, and is their writer healthy as a process?',
    ...{ http: true, work: true },
  },
  {
    service: 'identity-service',
    about: 'Do workspaces and the audit trail answer, and does the trail keep up?',
    ...{ http: true, group: true, postgres: true, work: true },
  },
  {
    service: 'analytics',
    about: 'Does the warehouse keep up with the topics?',
    ...{ group: true, emptyUntil: 'the profile analytics runs' },
  },
];

/** One board for each service, all on one pattern. */
export const SERVICE_BOARDS: readonly Board[] = SERVICES.map(({ about, ...parts }) => ({
  uid: `sociograph-${parts.service}`,
  title: `Service: ${parts.service}`,
  about,
  rows: serviceRows(parts),
  variables: [
    { name: 'instance', label: 'Instance', query: `label_values(up{service="${parts.service}"}, instance)` },
  ],
}));
