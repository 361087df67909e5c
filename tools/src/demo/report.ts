import type { CertificateView } from '@sociograph/api-client';
import type { DemoStack } from './demo-stack';

/** What the import's certificate says, for the terminal. */
export function certificateLines({ expected, got, gaps }: CertificateView): string[] {
  return [
    `  Certificate: ${got.people} of ${expected.people} people, ${got.lists} of ${expected.lists} friend lists, ` +
      (gaps.length === 0 ? 'no gap.' : 'gaps:'),
    ...gaps.map((gap) => `    ${gap.what} ${gap.cause}: ${gap.count}`),
  ];
}

/** Where everything runs, and commands that work as pasted. */
export function closingLines(fleet: DemoStack, person: string): string[] {
  return [
    '',
    'The fleet goes on running ("npm run status"; "npm run down" ends it):',
    ...Object.entries(fleet.addresses).map(([name, url]) => `  ${name.padEnd(12)} ${url}`),
    '',
    'Try (in this folder):',
    `  npm run -s sociograph -- query profile ${person}`,
    '  npm run -s sociograph -- import list',
    `  TOKEN=$(curl -s ${fleet.tokenUrl} -d grant_type=client_credentials -d client_id=${fleet.clientId} ` +
      `-d client_secret=$(cat ${fleet.clientSecretFile}) | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    `  curl -s -H "Authorization: Bearer $TOKEN" ${fleet.gatewayUrl}/v1/profiles/vk/${person}`,
    `  curl -s -H "Authorization: Bearer $TOKEN" ${fleet.gatewayUrl}/v1/graphs/vk/summary`,
  ];
}
