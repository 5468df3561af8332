/** Office files and books for tests: the smallest archives that the programs themselves would open. */
import { strToU8, zipSync } from 'fflate';

/** A ZIP archive of texts. */
export const makeArchive = (parts: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    zipSync(Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, strToU8(text)]))),
  );

const contentTypes = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>';
const core = (title: string): string =>
  `<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:title>${title}</dc:title><dc:language>zh-CN</dc:language></cp:coreProperties>`;
const relations = (targets: Readonly<Record<string, string>>): string =>
  `<Relationships>${Object.entries(targets)
    .map(([id, target]) => `<Relationship Id="${id}" Type="t" Target="${target}"/>`)
    .join('')}</Relationships>`;

export const makeDocx = (body: string, title = 'Report'): Uint8Array<ArrayBuffer> =>
  makeArchive({
    '[Content_Types].xml': contentTypes,
    'docProps/core.xml': core(title),
    'word/document.xml': `<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="w"><w:body>${body}</w:body></w:document>`,
  });

/** A paragraph, perhaps of a style. */
export const paragraph = (text: string, style?: string): string =>
  `<w:p>${style === undefined ? '' : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;

export const makeXlsx = (sheets: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> => {
  const names = Object.keys(sheets);
  return makeArchive({
    '[Content_Types].xml': contentTypes,
    'xl/workbook.xml': `<workbook xmlns:r="r"><sheets>${names.map((name, index) => `<sheet name="${name}" sheetId="${index + 1}" r:id="rId${index}"/>`).join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relations(
      Object.fromEntries(names.map((_, index) => [`rId${index}`, `worksheets/sheet${index + 1}.xml`])),
    ),
    'xl/sharedStrings.xml':
      '<sst><si><t>City</t></si><si><r><t>東</t></r><r><t>京</t></r><rPh sb="0" eb="2"><t>トウキョウ</t></rPh></si></sst>',
    'xl/styles.xml':
      '<styleSheet><numFmts><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/><numFmt numFmtId="166" formatCode="0.0 &quot;days&quot;"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="165"/><xf numFmtId="166"/></cellXfs></styleSheet>',
    ...Object.fromEntries(
      Object.values(sheets).map((rows, index) => [
        `xl/worksheets/sheet${index + 1}.xml`,
        `<worksheet><sheetData>${rows}</sheetData></worksheet>`,
      ]),
    ),
  });
};

export const makePptx = (slides: readonly string[], notes = ''): Uint8Array<ArrayBuffer> =>
  makeArchive({
    '[Content_Types].xml': contentTypes,
    'ppt/presentation.xml': `<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst>${slides.map((_, index) => `<p:sldId id="${256 + index}" r:id="rId${index}"/>`).join('')}</p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': relations(
      // Backwards: the order of slides is the list's, not the files'.
      Object.fromEntries(
        slides.map((_, index) => [`rId${index}`, `slides/slide${slides.length - index}.xml`]),
      ),
    ),
    ...Object.fromEntries(
      slides.map((text, index) => [
        `ppt/slides/slide${slides.length - index}.xml`,
        `<p:sld xmlns:a="a" xmlns:p="p"><a:p><a:r><a:t>${text}</a:t></a:r></a:p><a:p><a:fld type="slidenum"><a:t>9</a:t></a:fld></a:p></p:sld>`,
      ]),
    ),
    [`ppt/slides/_rels/slide${slides.length}.xml.rels`]: relations({ n: '../notesSlides/notesSlide1.xml' }),
    'ppt/notesSlides/notesSlide1.xml': `<p:notes xmlns:a="a" xmlns:p="p"><a:p><a:r><a:t>${notes}</a:t></a:r></a:p></p:notes>`,
  });

export const makeEpub = (chapters: readonly string[]): Uint8Array<ArrayBuffer> =>
  makeArchive({
    mimetype: 'application/epub+zip',
    'META-INF/container.xml':
      '<container><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
    'OEBPS/book.opf': `<package xmlns:dc="d"><metadata><dc:title>红楼梦</dc:title><dc:language>zh</dc:language></metadata><manifest>${chapters
      .map((_, index) => `<item id="c${index}" href="text/chapter%20${index}.xhtml"/>`)
      .join(
        '',
      )}</manifest><spine>${chapters.map((_, index) => `<itemref idref="c${index}"/>`).join('')}</spine></package>`,
    ...Object.fromEntries(
      chapters.map((body, index) => [
        `OEBPS/text/chapter ${index}.xhtml`,
        `<?xml version="1.0" encoding="UTF-8"?><html><head><title>x</title></head><body>${body}</body></html>`,
      ]),
    ),
  });
