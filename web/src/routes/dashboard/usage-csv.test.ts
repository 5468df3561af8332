import { describe, expect, it } from 'vitest';
import { encodeUsageCsv } from './usage-csv.ts';

const point = {
  step: '2026-07-21',
  model: 'moonshot/kimi-k2-turbo-preview',
  key_prefix: 'abcdefgh',
  spend: 0.0000195,
  tokens: { input: 10, cached: 4, output: 5 },
  requests: { succeeded: 1, failed: 0, charged: 1 },
};

describe('exported usage', () => {
  it('has a heading and a line per point, money to the nano-dollar', () => {
    expect(encodeUsageCsv([point])).toBe(
      'step,model,key_prefix,input_tokens,cached_tokens,output_tokens,requests_succeeded,requests_failed,spend_usd\r\n' +
        '2026-07-21,moonshot/kimi-k2-turbo-preview,abcdefgh,10,4,5,1,0,0.000019500\r\n',
    );
  });

  it('quotes what would break a line, and makes text of what a spreadsheet would run', () => {
    const line = encodeUsageCsv([{ ...point, model: 'a,"b"', key_prefix: '=1+1' }]).split('\r\n')[1];
    expect(line).toContain('"a,""b""",\'=1+1,');
  });
});
