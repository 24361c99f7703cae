// Builds the dashboards' script and style into the function that writes them into every page.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = new URL(".", import.meta.url);
const target = new URL("../assay/page/built/", here);

// uPlot's licence asks to be carried along, and its files hold no comment that esbuild takes for a legal one.
const licence = (await readFile(new URL("node_modules/uplot/LICENSE", here), "utf8")).trim();
const banner = `/*! uPlot (https://github.com/leeoniya/uPlot)\n\n${licence}\n*/`;

const result = await build({
  absWorkingDir: fileURLToPath(here),
  entryPoints: [
    { in: "dashboard/main.ts", out: "dashboard" },
    { in: "dashboard/style.css", out: "dashboard" },
  ],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "ascii",
  legalComments: "inline",
  banner: { js: banner, css: banner },
  outdir: fileURLToPath(target),
  write: false,
  logLevel: "warning",
});

await mkdir(target, { recursive: true });
for (const file of result.outputFiles) {
  // Both files are put into a page as they are: nothing in them may end their element.
  if (/<\/(script|style)|<!--/i.test(file.text)) throw new Error(`${file.path} would end the element it stands in`);
  await writeFile(file.path, file.contents);
  console.log(`${file.path} ${file.contents.length} bytes`);
}
