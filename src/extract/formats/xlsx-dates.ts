import { walkXml } from '../walk-xml.ts';

/** Formats that need no definition and mean dates or times (ECMA-376, part 1, section 18.8.30). */
const isBuiltInDate = (format: number): boolean =>
  (format >= 14 && format <= 22) || (format >= 27 && format <= 36) || (format >= 45 && format <= 58);

const dayMs = 86_400_000;
/** Serial 0 of the two calendars; day 60 of the first never was, so dates before March 1900 are a day off, as in Excel. */
const epoch1900Ms = Date.UTC(1899, 11, 30);
const epoch1904Ms = Date.UTC(1904, 0, 1);
/** 9999-12-31. */
const serialMax = 2_958_465;

/** Reads which styles mean dates. The returned function makes ISO 8601 text of a serial number, or undefined. */
export function readDateStyles(
  styles: string | undefined,
  workbook: string | undefined,
): (serial: number, style: number) => string | undefined {
  const customDates = new Set<number>();
  const dateStyles = new Set<number>();
  let style = 0;
  let isCellFormats = false;
  walkXml(styles ?? '', {
    onOpen(name, { numFmtId, formatCode }) {
      if (name === 'numFmt' && isDateCode(formatCode ?? '')) customDates.add(Number(numFmtId));
      else if (name === 'cellXfs') isCellFormats = true;
      else if (name === 'xf' && isCellFormats) {
        const format = Number(numFmtId);
        if (isBuiltInDate(format) || customDates.has(format)) dateStyles.add(style);
        style += 1;
      }
    },
    onClose(name) {
      if (name === 'cellXfs') isCellFormats = false;
    },
  });
  const epochMs = /<workbookPr[^>]*date1904="(1|true)"/.test(workbook ?? '') ? epoch1904Ms : epoch1900Ms;
  return (serial, styleId) => {
    if (!dateStyles.has(styleId) || serial < 0 || serial > serialMax) return undefined;
    const iso = new Date(epochMs + Math.round(serial * dayMs)).toISOString();
    if (serial < 1) return iso.slice(11, 19);
    return Number.isInteger(serial) ? iso.slice(0, 10) : iso.slice(0, 19).replace('T', ' ');
  };
}

/** `yyyy\-mm\-dd`, `h:mm AM/PM`; not `0.00 "days"` nor `[Red]0`. */
const isDateCode = (code: string): boolean =>
  /[ymdhs]/i.test(code.replaceAll(/"[^"]*"|\\.|\[(?!h|m|s)[^\]]*\]/gi, ''));
