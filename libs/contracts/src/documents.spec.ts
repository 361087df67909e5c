import { Parser } from '@asyncapi/parser';
import { asyncApiDocument } from './documents';

describe('the AsyncAPI document', () => {
  const errorsOf = async (document: object): Promise<string[]> => {
    const { diagnostics } = await new Parser().parse(JSON.stringify(document));
    return diagnostics.filter(({ severity }) => severity === 0).map(({ message }) => message);
  };

  it('is valid AsyncAPI 3.0', async () => {
    expect(await errorsOf(asyncApiDocument())).toEqual([]);
  });

  it('is refused by the same parser once it is broken', async () => {
    const { channels: _channels, ...broken } = asyncApiDocument();
    expect(await errorsOf(broken)).not.toEqual([]);
  });
});
