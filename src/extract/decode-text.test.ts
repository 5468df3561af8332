import { describe, expect, it } from 'vitest';
import { decodeText } from './decode-text.ts';

/** One text per encoding, encoded by Python's codecs. */
const samples: readonly (readonly [label: string, hex: string, text: string])[] = [
  [
    'gbk',
    'b3a4b4babba8caf4b5c4bba8d3d0cee5b8f6bba8b0eaa3acd1d5c9abb4d3b0d7b5bdc9eebaecb2bbb5c8a3acd4adb2fac2edb4efbcd3cbb9bcd3a1a3',
    '长春花属的花有五个花瓣，颜色从白到深红不等，原产马达加斯加。',
  ],
  [
    'big5',
    'bb4fc657aabaa95da5aba6b3b35ca668a470a659a141b943abc8ab44b160b3dfc577a662b36fb8ccb4b2a842a143',
    '臺灣的夜市有許多小吃，遊客非常喜歡在這裡散步。',
  ],
  [
    'shift_jis',
    '8ce1947982cd944c82c582a082e9814296bc914f82cd82dc82be96b382a2814282c782b182c590b682ea82bd82a982c682f182c68ca9939682aa82c282a982ca8142',
    '吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。',
  ],
  [
    'euc-jp',
    'b8e3c7daa4cfc7ada4c7a4a2a4eba1a3ccbec1b0a4cfa4dea4c0ccb5a4a4a1a3a4c9a4b3a4c7c0b8a4eca4bfa4aba4c8a4f3a4c8b8abc5f6a4aca4c4a4aba4cca1a3',
    '吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。',
  ],
  [
    'euc-kr',
    'b4ebc7d1b9ceb1b9c0c720bcf6b5b5b4c220bcadbfefc0ccb8e720c0ceb1b8b4c220bee020c3b5b8b820b8edc0ccb4d92e',
    '대한민국의 수도는 서울이며 인구는 약 천만 명이다.',
  ],
  [
    'windows-1251',
    'cceef1eae2e0209720f1f2eeebe8f6e020d0eef1f1e8e82c20e3eef0eee420f4e5e4e5f0e0ebfcedeee3ee20e7ede0f7e5ede8ff2e',
    'Москва — столица России, город федерального значения.',
  ],
];

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

describe('text of unknown encoding', () => {
  it.each(samples)('in %s is recognised where nothing says so', (_, hex, text) => {
    // Short texts are guessed wrong at times; files and pages are longer.
    expect(decodeText(bytesOf(hex.repeat(5))).text).toBe(text.repeat(5));
  });

  it.each(samples)('in %s is read as its transport says', (label, hex, text) => {
    expect(decodeText(bytesOf(hex), `text/html; charset="${label.toUpperCase()}"`).text).toBe(text);
  });

  it.each(samples)('in %s is read as its own markup says', (label, hex, text) => {
    const html = Buffer.concat([
      Buffer.from(
        `<!-- <meta charset=utf-8> --><meta http-equiv="content-type" content="text/html; charset=${label}"><p>`,
      ),
      bytesOf(hex),
    ]);
    expect(decodeText(html, '', true).text.endsWith(text)).toBe(true);
  });

  it('in windows-1252 is what is left', () => {
    expect(
      decodeText(
        bytesOf(
          '4c6520636166e9206573742073697475e9207072e873206465206c6120666f72ea742e204c657320e96ce87665732079206d616e67e872656e7420646573206372ea70657320e020313020802c20ab207472e873206e61ef76656d656e7420bb2c206ff9206c92686976657220e9746169742064e96ae0206172726976e92e',
        ),
      ).text,
    ).toBe(
      'Le café est situé près de la forêt. Les élèves y mangèrent des crêpes à 10 €, « très naïvement », où l’hiver était déjà arrivé.',
    );
  });

  it.each([
    ['utf-8', Buffer.from('\ufeff你好')],
    ['utf-16le', Buffer.from('\ufeff你好', 'utf16le')],
    ['utf-16be', Buffer.from('\ufeff你好', 'utf16le').swap16()],
  ])('in %s follows its byte-order mark, whatever is declared', (encoding, bytes) => {
    expect(decodeText(bytes, 'text/plain; charset=gbk')).toEqual({ text: '你好', encoding });
  });

  it('that is valid UTF-8 is UTF-8, and a label that nobody knows is passed over', () => {
    expect(decodeText(Buffer.from('你好'), 'text/plain; charset=x-martian')).toEqual({
      text: '你好',
      encoding: 'utf-8',
    });
  });

  it('that claims to be UTF-8 and is not is recognised', () => {
    const gbk = bytesOf((samples[0]?.[1] ?? '').repeat(5));
    expect(decodeText(gbk, 'text/html; charset=utf-8').encoding).toBe('gb18030');
  });
});
