#!/usr/bin/env bash
# What crate infer says of documents that common libraries write, as an allow-list for attachments would ask it.
#
# Versions: crate infer 0.22.0; npm file-type 22.3.0 for comparison; writers: PyPI python-docx 1.2.0, python-pptx 1.0.2,
#           openpyxl 3.1.5, xlwt 1.3.0; npm docx 9.15.2, exceljs 4.4.0, xlsx 0.18.5, pptxgenjs 4.0.1.
# Expected: a .docx, .xlsx, .pptx, .ods is named as such or at worst, in some exotic file, "zip"; an .xls is "xls".
# Seen: infer looks at the first entries of the archive alone. What python-docx, python-pptx, pptxgenjs, exceljs (unless it
#       streams) and SheetJS (.ods) write is "zip" to it, though file-type names each. An .xls, of xlwt as of SheetJS, is a
#       Windows installer to it: "msi", application/x-ole-storage.
# So an allow-list by infer refuses invoices and reports that business software makes, and names the old ones programs.
#
# Needs node, npm, cargo and python3 with venv. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install python-docx==1.2.0 python-pptx==1.0.2 \
    openpyxl==3.1.5 xlwt==1.3.0
npm init -y >/dev/null; npm install --silent --no-audit --no-fund file-type@22.3.0 docx@9.15.2 exceljs@4.4.0 xlsx@0.18.5 \
    pptxgenjs@4.0.1 >/dev/null
mkdir files
cat >write.py <<'PY'
import docx, openpyxl, pptx, xlwt
docx.Document().save("files/python-docx.docx")
pptx.Presentation().save("files/python-pptx.pptx")
book = openpyxl.Workbook()
book.active["A1"] = "order"
book.save("files/openpyxl.xlsx")
book = xlwt.Workbook()
book.add_sheet("orders").write(0, 0, "order")
book.save("files/xlwt.xls")
PY
cat >write.mjs <<'JS'
import { writeFileSync } from 'node:fs';
import { Document, Packer, Paragraph } from 'docx';
import Excel from 'exceljs';
import Slides from 'pptxgenjs';
import Sheet from 'xlsx';
writeFileSync('files/docx.docx', await Packer.toBuffer(new Document({ sections: [{ children: [new Paragraph('order')] }] })));
const book = new Excel.Workbook();
book.addWorksheet('orders').getCell('A1').value = 'order';
await book.xlsx.writeFile('files/exceljs.xlsx');
const stream = new Excel.stream.xlsx.WorkbookWriter({ filename: 'files/exceljs-stream.xlsx' });
stream.addWorksheet('orders').addRow(['order']).commit();
await stream.commit();
const slides = new Slides();
slides.addSlide().addText('order');
await slides.writeFile({ fileName: 'files/pptxgenjs.pptx' });
const sheets = Sheet.utils.book_new();
Sheet.utils.book_append_sheet(sheets, Sheet.utils.aoa_to_sheet([['order']]), 'orders');
for (const type of ['xlsx', 'ods', 'xls']) Sheet.writeFile(sheets, `files/sheetjs.${type}`);
JS
cat >name.mjs <<'JS'
import { fileTypeFromFile } from 'file-type';
console.log((await fileTypeFromFile(process.argv[2]))?.ext);
JS
mkdir -p rust/src && cat >rust/Cargo.toml <<'TOML'
[package]
name = "name"
version = "0.1.0"
edition = "2024"
[dependencies]
infer = "=0.22.0"
TOML
cat >rust/src/main.rs <<'RS'
fn main() {
    let kind = infer::get_from_path(std::env::args().nth(1).unwrap()).unwrap();
    println!("{}", kind.map_or("nothing", |kind| kind.extension()));
}
RS
python/bin/python write.py && node write.mjs && (cd rust && cargo build --quiet)
for file in files/*; do
    echo "${file#files/}: infer $(rust/target/debug/name "$file"), file-type $(node name.mjs "$file")"
done | LC_ALL=C sort | tee seen
diff - seen <<'SEEN' && echo 'as stated'
docx.docx: infer docx, file-type docx
exceljs-stream.xlsx: infer xlsx, file-type xlsx
exceljs.xlsx: infer zip, file-type xlsx
openpyxl.xlsx: infer xlsx, file-type xlsx
pptxgenjs.pptx: infer zip, file-type pptx
python-docx.docx: infer zip, file-type docx
python-pptx.pptx: infer zip, file-type pptx
sheetjs.ods: infer zip, file-type ods
sheetjs.xls: infer msi, file-type cfb
sheetjs.xlsx: infer xlsx, file-type xlsx
xlwt.xls: infer msi, file-type cfb
SEEN
