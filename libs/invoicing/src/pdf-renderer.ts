import { createRequire } from 'node:module';
import path from 'node:path';
import pdfmake from 'pdfmake';
import type { TDocumentDefinitions } from 'pdfmake/interfaces.js';

const resolved = createRequire(import.meta.url);
const roboto = folderOf('pdfmake', 'fonts/Roboto');
const dejaVu = folderOf('dejavu-fonts-ttf', 'ttf');

pdfmake.setFonts({
  Roboto: { normal: path.join(roboto, 'Roboto-Regular.ttf'), bold: path.join(roboto, 'Roboto-Medium.ttf') },
  DejaVu: { normal: path.join(dejaVu, 'DejaVuSans.ttf'), bold: path.join(dejaVu, 'DejaVuSans-Bold.ttf') },
});
// A document is drawn from what it holds and the two fonts: no address in it is fetched, no other file read.
pdfmake.setUrlAccessPolicy(() => false);
pdfmake.setLocalAccessPolicy((file) => [roboto, dejaVu].includes(path.dirname(file)));

/** The document as PDF bytes. */
export const renderPdf = (document: TDocumentDefinitions): Promise<Buffer> => pdfmake.createPdf(document).getBuffer();

function folderOf(name: string, folder: string): string {
  return path.join(path.dirname(resolved.resolve(`${name}/package.json`)), folder);
}
